"""Archives are unpacked inside one folder and within limits, or not at all."""

from __future__ import annotations

import io
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from gandl.fetch.unpack import ArchiveLimits, unpack
from gandl_shared.errors import BadInput, Malformed, TooLarge

LIMITS = ArchiveLimits(max_files=3, max_bytes=100_000)
FILES = {"a.txt": b"one", "images/b.txt": b"two"}


def zip_of(path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return path


def tar_of(path: Path, *members: tarfile.TarInfo | tuple[str, bytes], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def contents(folder: Path) -> dict[str, bytes]:
    return {p.relative_to(folder).as_posix(): p.read_bytes() for p in folder.rglob("*") if p.is_file()}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    target = tmp_path / "target"
    target.mkdir()
    return target


def test_a_zip_archive_is_unpacked(tmp_path: Path, folder: Path) -> None:
    unpack(zip_of(tmp_path / "a.zip", ("images/", b""), *FILES.items()), folder, LIMITS)
    assert contents(folder) == FILES


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_a_tar_archive_is_unpacked(tmp_path: Path, folder: Path, mode: str) -> None:
    unpack(tar_of(tmp_path / "a.tar", *FILES.items(), mode=mode), folder, LIMITS)
    assert contents(folder) == FILES


@pytest.mark.parametrize("name", ["../x", "a/../../x", "/x", "C:/x", "C:x", "a\\..\\x"])
@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_a_path_out_of_the_folder_is_refused(
    tmp_path: Path, folder: Path, make: Callable[..., Path], name: str
) -> None:
    with pytest.raises(Malformed, match="a path that leads out of the folder"):
        unpack(make(tmp_path / "archive", (name, b"x")), folder, LIMITS)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["archive", "target"]


def test_a_link_in_a_zip_archive_is_refused(tmp_path: Path, folder: Path) -> None:
    link = zipfile.ZipInfo("link")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with pytest.raises(Malformed, match="'link', which is a link or a special file"):
        unpack(zip_of(tmp_path / "a.zip", (link, b"/etc/passwd")), folder, LIMITS)
    assert contents(folder) == {}


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE])
def test_a_link_or_a_device_in_a_tar_archive_is_refused(tmp_path: Path, folder: Path, kind: bytes) -> None:
    member = tarfile.TarInfo("member")
    member.type, member.linkname = kind, "a.txt"
    with pytest.raises(Malformed, match="'member', which is a link or a special file"):
        unpack(tar_of(tmp_path / "a.tar", ("a.txt", b"x"), member), folder, LIMITS)
    assert contents(folder) == {"a.txt": b"x"}


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_too_many_files_are_refused(tmp_path: Path, folder: Path, make: Callable[..., Path]) -> None:
    with pytest.raises(TooLarge, match="more than 3 files"):
        unpack(make(tmp_path / "archive", *((f"{i}", b"") for i in range(4))), folder, LIMITS)


@pytest.mark.parametrize("make", [zip_of, tar_of])
def test_too_many_bytes_are_refused(tmp_path: Path, folder: Path, make: Callable[..., Path]) -> None:
    content = bytes(range(256)) * 400
    with pytest.raises(TooLarge, match="unpacks to more than"):
        unpack(make(tmp_path / "archive", ("x", content)), folder, LIMITS)
    assert sum(map(len, contents(folder).values())) <= LIMITS.max_bytes


def test_a_bomb_is_stopped_by_its_ratio(tmp_path: Path, folder: Path) -> None:
    """Ten megabytes of zeros take ten kilobytes in an archive, a thousandth."""
    limits = ArchiveLimits(max_files=3, max_bytes=10**9)
    with pytest.raises(TooLarge):
        unpack(zip_of(tmp_path / "a.zip", ("zeros", bytes(10**7))), folder, limits)
    assert sum(map(len, contents(folder).values())) < 2 * 10**6
    (folder / "zeros").unlink()
    with pytest.raises(TooLarge):
        unpack(tar_of(tmp_path / "a.tgz", ("zeros", bytes(10**7)), mode="w:gz"), folder, limits)
    assert sum(map(len, contents(folder).values())) < 2 * 10**6


def test_a_file_that_is_there_twice_is_refused(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(Malformed, match="'a.txt' twice"):
        unpack(tar_of(tmp_path / "a.tar", ("a.txt", b"1"), ("a.txt", b"2")), folder, LIMITS)


@pytest.mark.parametrize("mode", ["zip", "w", "w:gz", "w:bz2", "w:xz"])
def test_half_an_archive_is_refused(tmp_path: Path, folder: Path, mode: str) -> None:
    whole = tmp_path / "whole"
    content = bytes(range(256)) * 20
    _ = zip_of(whole, ("x", content)) if mode == "zip" else tar_of(whole, ("x", content), mode=mode)
    half = tmp_path / "half.zip"
    half.write_bytes(whole.read_bytes()[: whole.stat().st_size // 4])
    with pytest.raises(Malformed, match="half.zip is not a complete ZIP or TAR archive"):
        unpack(half, folder, LIMITS)


def test_a_changed_byte_is_found(tmp_path: Path, folder: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", ("x", bytes(range(256))))
    data = bytearray(archive.read_bytes())
    data[60] ^= 0xFF
    archive.write_bytes(data)
    with pytest.raises(Malformed, match="not a complete ZIP or TAR archive"):
        unpack(archive, folder, LIMITS)


def test_a_forged_directory_is_refused(tmp_path: Path, folder: Path) -> None:
    archive = zip_of(tmp_path / "a.zip", ("\u00e4", b"1"))
    content = archive.read_bytes()
    longer = bytearray(content)
    longer[content.index(b"PK\x05\x06") + 13] = 1
    for forged in (content.replace("\u00e4".encode(), b"\xff\xff"), longer):
        archive.write_bytes(forged)
        with pytest.raises(Malformed, match="not a complete ZIP or TAR archive"):
            unpack(archive, folder, LIMITS)


@pytest.mark.parametrize("content", [b"<html>Not found</html>", b"hello", b""])
def test_another_file_is_refused(tmp_path: Path, folder: Path, content: bytes) -> None:
    (tmp_path / "page.zip").write_bytes(content)
    with pytest.raises(BadInput, match="HTML or XML page|not a complete ZIP"):
        unpack(tmp_path / "page.zip", folder, LIMITS)
