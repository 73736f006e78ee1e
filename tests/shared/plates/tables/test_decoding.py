"""Files of spreadsheets are text in several encodings; what cannot be recognised is refused with the remedy."""

from __future__ import annotations

import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates.plate_map import FORM
from gandl_shared.plates.tables.decoding import decode

TEXT = "plate,well,volume µl\nP1,A01,½\n"


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-be", "utf-16-le", "utf-32"])
def test_every_unicode_encoding_is_recognised(encoding: str) -> None:
    # Without its mark, UTF-16 is recognised by the zeros of ASCII letters.
    text = TEXT if encoding not in {"utf-16-be", "utf-16-le"} else "plate,well\nP1,A01\n"
    assert decode(text.encode(encoding), "m.csv", FORM) == (text, [])


def test_windows_text_is_read_and_the_user_hears_of_it() -> None:
    text, (note,) = decode(TEXT.encode("cp1252"), "m.csv", FORM)
    assert text == TEXT
    assert "m.csv is not UTF-8; it was read as Windows-1252" in note


@pytest.mark.parametrize(
    "content",
    [
        "プレート,well\n".encode("shift-jis"),
        "孔板,well\n".encode("gbk"),
        "Пластина,well\n".encode("cp1251"),
        b"a\x81b,c",
    ],
)
def test_another_encoding_is_refused_and_not_guessed(content: bytes) -> None:
    with pytest.raises(InvalidPlateMap, match=r"m\.csv is not UTF-8 text, .*; save it as CSV UTF-8"):
        decode(content, "m.csv", FORM)


@pytest.mark.parametrize("content", [b"\x89PNG\0\0", b"\xff\xfea", b"\xef\xbb\xbf\xff", b"a\0b"])
def test_what_is_not_text_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidPlateMap, match="save it as CSV UTF-8"):
        decode(content, "m.csv", FORM)
