"""One OME-TIFF per channel, whose XML describes the whole field and names both files."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.imaging import read_header, read_image, read_site

from tests.cases.plates import SIZE, fields

SIZES = f'SizeX="{SIZE}" SizeY="{SIZE}" SizeC="2" SizeZ="1" SizeT="1"'


def test_each_file_is_the_channel_that_is_in_it(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """No plane of the other file is invented, so the file of a channel is one grey plane and fits one input."""
    field = next(iter(fields().values()))
    names = [f"A01_s1_w{c + 1}.ome.tif" for c in (0, 1)]
    planes = "".join(
        f'<TiffData IFD="0" FirstC="{c}" PlaneCount="1"><UUID FileName="{names[c]}">urn:uuid:{c}</UUID></TiffData>'
        for c in (0, 1)
    )
    image = f'<Image ID="Image:0"><Pixels DimensionOrder="XYCZT" Type="uint16" {SIZES}>{planes}</Pixels></Image>'
    for c, name in enumerate(names):
        xml = f'<OME UUID="urn:uuid:{c}">{image}</OME>'
        tifffile.imwrite(tmp_path / name, field[c], photometric="minisblack", metadata=None, description=xml)
        assert read_header(tmp_path / name).channels == 1
        np.testing.assert_array_equal(read_image(tmp_path / name), field[c][None])
    np.testing.assert_array_equal(read_site([tmp_path / name for name in names]), field)
    assert capfd.readouterr() == ("", "")
