"""An uploaded archive becomes files below its folder, or nothing at all."""

from __future__ import annotations

import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import pytest
from gandl_shared.errors import BadInput, GandlError, TooLarge
from gandl_shared.files.archives import UnpackLimits, unpack_zip

SMALL = UnpackLimits(max_files=5, max_bytes=10_000, max_ratio=50, max_depth=2, min_free=0)


def archive_of(folder: Path, content: Mapping[str | zipfile.ZipInfo, bytes]) -> Path:
    path = folder / "upload.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in content.items():
            archive.writestr(name, data)
    return path


def of_kind(name: str, kind: int) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name)
    entry.create_system, entry.external_attr = 3, (kind | 0o777) << 16
    return entry


def refusal(tmp_path: Path, archive: Path, limits: UnpackLimits = SMALL) -> GandlError:
    before = sorted(path.name for path in tmp_path.rglob("*"))
    with pytest.raises(GandlError) as error:
        unpack_zip(archive, tmp_path / "target", limits)
    # A refused archive leaves neither files nor folders behind.
    assert sorted(path.name for path in tmp_path.rglob("*")) == before
    return error.value


def test_files_are_unpacked_with_their_folders_and_leftovers_are_not(tmp_path: Path) -> None:
    content: dict[str | zipfile.ZipInfo, bytes] = {
        "plate/A01.tif": b"1",
        "plate/B/µ 2.tif": b"22",
        "__MACOSX/plate/._A01.tif": b"x",
        "plate/.DS_Store": b"x",
        "empty/": b"",
    }
    assert unpack_zip(archive_of(tmp_path, content), tmp_path / "target", SMALL) == 2
    files = {str(p.relative_to(tmp_path / "target")): p.read_bytes() for p in (tmp_path / "target").rglob("*.tif")}
    assert files == {"plate/A01.tif": b"1", "plate/B/µ 2.tif": b"22"}
    assert not (tmp_path / "target/__MACOSX").exists()


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("../out.tif", "leads out"),
        ("a/../../out.tif", "leads out"),
        ("a/./b.tif", "leads out"),
        ("/etc/out.tif", "leads out"),
        ("a//b.tif", "leads out"),
        ("..", "leads out"),
        ("a\\..\\out.tif", "backslash"),
        ("C:/out.tif", "colon"),
        ("a\nb.tif", "control character"),
        ("a/b/c/d.tif", "deeper than 2"),
        ("x" * 256, "too long"),
        (of_kind("link.tif", stat.S_IFLNK), "link or a device"),
        (of_kind("pipe.tif", stat.S_IFIFO), "link or a device"),
        (of_kind("device.tif", stat.S_IFCHR), "link or a device"),
    ],
)
def test_what_could_lie_elsewhere_is_refused_by_name(tmp_path: Path, name: str | zipfile.ZipInfo, reason: str) -> None:
    error = refusal(tmp_path, archive_of(tmp_path, {"good.tif": b"1", name: b"/etc/passwd"}))
    assert isinstance(error, BadInput)
    assert reason in error.problems[0].detail


@pytest.mark.parametrize(
    ("names", "reason"), [(("a.tif", "A.TIF"), "is there twice"), (("a", "a/b.tif"), "is a file and a folder")]
)
def test_names_that_would_replace_each_other_are_refused(tmp_path: Path, names: tuple[str, ...], reason: str) -> None:
    error = refusal(tmp_path, archive_of(tmp_path, dict.fromkeys(names, b"1")))
    assert reason in error.problems[0].detail


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ({f"{n}.tif": b"1" for n in range(6)}, "6 files; at most 5"),
        ({"a.tif": bytes(range(256)) * 40}, "unpacks to 0.010 MB"),
        ({"a.tif": bytes(9_999)}, "more than 50 times"),
        ({f"{n}/": b"" for n in range(20)}, "20 entries"),
    ],
)
def test_what_is_beyond_a_limit_is_refused(
    tmp_path: Path, content: dict[str | zipfile.ZipInfo, bytes], reason: str
) -> None:
    error = refusal(tmp_path, archive_of(tmp_path, content))
    assert isinstance(error, TooLarge)
    assert reason in error.detail


def test_an_archive_that_states_less_than_it_holds_is_refused_while_it_is_unpacked(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, {"bomb.tif": bytes(5_000_000)})
    stated = struct.pack("<I", 5_000_000)
    assert archive.read_bytes().count(stated) == 2
    archive.write_bytes(archive.read_bytes().replace(stated, struct.pack("<I", 100)))
    refusal(tmp_path, archive)


def test_entries_that_share_their_bytes_do_not_multiply(tmp_path: Path) -> None:
    """As in the bomb of D. Fifield (2019): many names of a directory lead to one compressed file."""
    data = bytes(3_000)
    archive = archive_of(tmp_path, {"0.tif": data})
    content = archive.read_bytes()
    start = content.index(b"PK\x01\x02")
    end = content.index(b"PK\x05\x06")
    one = content[start:end]
    copies = b"".join(one.replace(b"0.tif", b"%d.tif" % n) for n in range(4))
    record = bytearray(content[end:])
    struct.pack_into("<HHI", record, 8, 4, 4, len(copies))
    archive.write_bytes(content[:start] + copies + bytes(record))
    refusal(tmp_path, archive, UnpackLimits(max_ratio=10, min_free=0))


def test_passwords_other_methods_damage_and_other_files_are_refused(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, {"a.tif": b"1"})
    content = archive.read_bytes()
    central = content.index(b"PK\x01\x02")
    encrypted = bytearray(content)
    encrypted[central + 8] |= 1
    archive.write_bytes(bytes(encrypted))
    assert "encrypted" in refusal(tmp_path, archive).problems[0].detail
    other = bytearray(content)
    other[central + 10] = zipfile.ZIP_LZMA
    archive.write_bytes(bytes(other))
    assert "another method" in refusal(tmp_path, archive).problems[0].detail
    archive.write_bytes(content[: len(content) // 2])
    assert "no ZIP archive" in refusal(tmp_path, archive).detail
    damaged = bytearray(archive_of(tmp_path, {"a.tif": zlib.compress(b"1" * 500)}).read_bytes())
    damaged[40] ^= 0xFF
    archive.write_bytes(bytes(damaged))
    assert "damaged" in refusal(tmp_path, archive).detail


def test_a_full_disk_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, {"a.tif": b"1"})
    assert "the disk of the server" in refusal(tmp_path, archive, UnpackLimits(min_free=2**62)).detail


def test_forged_directories_are_damage(tmp_path: Path) -> None:
    archive = archive_of(tmp_path, {"\u00e4.tif": b"1"})
    content = archive.read_bytes()
    archive.write_bytes(content.replace("\u00e4.tif".encode(), b"\xff\xff.tif"))
    assert "'utf-8' codec" in refusal(tmp_path, archive).detail
    # A directory that is longer than the file places the entries before its start.
    record = bytearray(content)
    end = content.index(b"PK\x05\x06")
    struct.pack_into("<I", record, end + 12, 2000)
    archive.write_bytes(bytes(record))
    assert "damaged" in refusal(tmp_path, archive).detail
    struct.pack_into("<II", record, end + 12, end - content.index(b"PK\x01\x02"), 2**20)
    archive.write_bytes(bytes(record))
    assert "damaged" in refusal(tmp_path, archive).detail
