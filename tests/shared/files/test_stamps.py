"""Files that were replaced are noticed by their size and time."""

from __future__ import annotations

import os
from pathlib import Path

from gandl_shared.files.stamps import change, stamp, stamps


def test_stamps_are_of_the_files_that_are_there(tmp_path: Path) -> None:
    image = tmp_path / "a.tif"
    image.write_bytes(b"four")
    (size, _), absent = stamp(image), stamp(tmp_path / "b.tif")  # type: ignore[misc]  # the first one is there
    assert (size, absent) == (4, None)
    assert stamps([image, tmp_path / "b.tif", image]) == {image: stamp(image)}


def test_a_change_says_what_is_different(tmp_path: Path) -> None:
    image = tmp_path / "a.tif"
    image.write_bytes(b"four")
    before = stamp(image)
    assert change(before, stamp(image)) is None
    os.utime(image, ns=(0, 0))
    assert change(before, stamp(image)) == "was written again after the screen was submitted"
    image.write_bytes(b"seven..")
    assert change(before, stamp(image)) == "had 4 bytes when the screen was submitted and has 7 now"
    assert change(None, stamp(image)) is None
    assert change(before, None) is None
