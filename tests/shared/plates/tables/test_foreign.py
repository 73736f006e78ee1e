"""What a server sends instead of a table, and other formats, are named; tables and titles above them are not."""

from __future__ import annotations

import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates.plate_map import FORM
from gandl_shared.plates.tables.foreign import foreign_file, foreign_text
from gandl_shared.plates.tables.reader import table_of_bytes


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!DOCTYPE html><html>404</html>", "is a page of HTML"),
        (b"\xef\xbb\xbf\n <?xml version='1.0'?>", "is a page of HTML or XML"),
        (b'{"message": "Not Found"}', "is JSON"),
        (b"version https://git-lfs.github.com/spec/v1", "is a pointer of Git LFS"),
        (b"PAR1\x15\x04", "is Parquet; save it as CSV"),
        (b"\x1f\x8b\x08\x00", "is compressed by gzip; unpack it"),
    ],
)
def test_another_content_is_named_in_place_of_a_plate_map(content: bytes, words: str) -> None:
    with pytest.raises(InvalidPlateMap, match=rf"plate map m\.csv {words}"):
        table_of_bytes(content, "m.csv", FORM)


@pytest.mark.parametrize("content", [b"plate,well,role\n", b"[Header]\nplate,well\n", b"", b"\xff\xfep\x00l\x00"])
def test_what_may_be_a_table_is_none_of_these(content: bytes) -> None:
    assert foreign_file(content) is None
    assert foreign_text(content) is None
