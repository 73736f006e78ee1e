"""References to images inside files."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.files.references import ImageReference, file_of, image_name, parse_reference


@pytest.mark.parametrize(
    ("name", "file", "parts"),
    [
        ("P1/A01.tif", "P1/A01.tif", {}),
        ("P1/A01.ome.tif#image=2", "P1/A01.ome.tif", {"image": "2"}),
        ("P1.zarr#image=B/03/0&index=0,1", "P1.zarr", {"image": "B/03/0", "index": "0,1"}),
        ("a#b=c.tif#image=1", "a#b=c.tif", {"image": "1"}),
        ("plate #3/A01.tif", "plate #3/A01.tif", {}),
        ("#image=1", "#image=1", {}),
    ],
)
def test_a_reference_is_a_file_and_what_is_meant_in_it(name: str, file: str, parts: dict[str, str]) -> None:
    reference = parse_reference(name)
    assert reference == ImageReference(file=file, parts=parts)
    assert str(reference) == name
    assert file_of(Path(name)) == Path(file)


def test_the_only_image_of_a_file_is_the_file() -> None:
    assert image_name("a.tif", 1, 1) == "a.tif"
    assert image_name("a.tif", 2, 3) == "a.tif#image=2"
