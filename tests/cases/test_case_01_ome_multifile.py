"""One OME-TIFF per field, whose XML names the fields of the whole plate, or only the first file has the XML."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.imaging import read_site

from tests.cases.plates import SIZE, fields

NAMES = [f"{well}_s1.ome.tif" for well in list(fields())[:4]]
SIZES = f'SizeX="{SIZE}" SizeY="{SIZE}" SizeC="2" SizeZ="1" SizeT="1"'


def image(number: int) -> str:
    planes = "".join(
        f'<TiffData IFD="{c}" FirstC="{c}" PlaneCount="1"><UUID FileName="{NAMES[number]}">urn:uuid:{number}</UUID>'
        "</TiffData>"
        for c in (0, 1)
    )
    return f'<Image ID="Image:{number}"><Pixels DimensionOrder="XYCZT" Type="uint16" {SIZES}>{planes}</Pixels></Image>'


@pytest.mark.parametrize("style", ["names", "master"])
def test_each_file_gives_its_own_planes_without_a_warning(
    tmp_path: Path, style: str, capfd: pytest.CaptureFixture[str]
) -> None:
    everything = "".join(image(i) for i in range(len(NAMES)))
    for i, (name, field) in enumerate(zip(NAMES, fields().values(), strict=False)):
        elsewhere = f'<BinaryOnly MetadataFile="{NAMES[0]}" UUID="urn:uuid:0"/>'
        body = everything if style == "names" or i == 0 else elsewhere
        xml = f'<OME UUID="urn:uuid:{i}">{body}</OME>'
        tifffile.imwrite(tmp_path / name, field, photometric="minisblack", metadata=None, description=xml)
    for name, field in zip(NAMES, fields().values(), strict=False):
        np.testing.assert_array_equal(read_site([tmp_path / name]), field)
    assert capfd.readouterr() == ("", "")
