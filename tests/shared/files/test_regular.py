"""Only regular files are opened, and their name is not passed on."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from gandl_shared.errors import BadInput, NotFound
from gandl_shared.files.regular import open_regular, read_regular


def test_a_file_is_read_and_sought_without_its_name(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(b"0123456789")
    with open_regular(path) as file:
        assert (file.seek(-3, os.SEEK_END), file.read()) == (7, b"789")
        assert (file.seek(2), file.read(3)) == (2, b"234")
        assert not hasattr(file, "name")
        with pytest.raises(OSError):
            file.fileno()


def test_a_link_to_a_file_is_followed(tmp_path: Path) -> None:
    (tmp_path / "a.tif").write_bytes(b"image")
    (tmp_path / "link.tif").symlink_to("a.tif")
    with open_regular(tmp_path / "link.tif") as file:
        assert file.read() == b"image"


@pytest.mark.parametrize("kind", ["folder", "fifo", "device"])
def test_other_kinds_of_files_are_refused_without_waiting(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "a.tif"
    if kind == "folder":
        path.mkdir()
    elif kind == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to("/dev/zero")
    with pytest.raises(OSError, match="give a regular file"):
        open_regular(path)


def test_an_open_descriptor_is_refused_under_every_name(tmp_path: Path) -> None:
    secret, link = tmp_path / "secret", tmp_path / "a.tif"
    secret.write_bytes(b"secret")
    with secret.open("rb") as file:
        descriptor = Path(f"/proc/self/fd/{file.fileno()}")
        link.symlink_to(descriptor)
        for path in (descriptor, link):
            with pytest.raises(OSError, match="leads into /proc"):
                open_regular(path)


def test_a_circle_of_links_and_a_missing_file_are_errors(tmp_path: Path) -> None:
    circle = tmp_path / "a.tif"
    circle.symlink_to(circle)
    with pytest.raises(OSError):
        open_regular(circle)
    with pytest.raises(FileNotFoundError):
        open_regular(tmp_path / "b.tif")


def test_a_whole_file_is_read_up_to_a_size(tmp_path: Path) -> None:
    path = tmp_path / "card.json"
    with pytest.raises(NotFound, match=r"there is no card .*card\.json"):
        read_regular(path, "card", 4, BadInput)
    path.write_bytes(b"1234")
    assert read_regular(path, "card", 4, BadInput) == b"1234"
    path.write_bytes(b"12345")
    with pytest.raises(BadInput, match=r"card\.json has 5 bytes, so it is no card"):
        read_regular(path, "card", 4, BadInput)
    with pytest.raises(BadInput, match="cannot be read: it is a folder"):
        read_regular(tmp_path, "card", 4, BadInput)
