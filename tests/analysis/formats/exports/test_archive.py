"""Archives that are sent while they are made."""

from __future__ import annotations

import io
from collections.abc import Iterator
from zipfile import BadZipFile, ZipFile

import pytest
from gandl_analysis.formats.exports.archive import Member, zip_parts


def members(log: list[str]) -> Iterator[Member]:
    for name in ("a.txt", "b.bin"):
        log.append(name)
        yield Member(name=name, content=b"x" * 10 if name == "a.txt" else iter([b"y" * 200_000, b"z"]))


def test_an_archive_holds_its_members_and_is_the_same_every_time() -> None:
    content = b"".join(zip_parts(members([])))
    assert content == b"".join(zip_parts(members([])))
    with ZipFile(io.BytesIO(content)) as archive:
        assert archive.testzip() is None
        assert archive.read("a.txt") == b"x" * 10
        assert archive.read("b.bin") == b"y" * 200_000 + b"z"


def test_the_first_part_is_sent_before_the_last_member_is_made() -> None:
    log: list[str] = []
    parts = zip_parts(members(log))
    assert next(parts).startswith(b"PK")
    assert log == ["a.txt"]


def test_an_archive_that_breaks_off_is_refused_by_readers() -> None:
    parts = list(zip_parts(members([])))
    with pytest.raises(BadZipFile):
        ZipFile(io.BytesIO(b"".join(parts[:-1])))
