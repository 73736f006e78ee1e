"""Forms in memory: their files, and what is refused in them."""

from __future__ import annotations

import asyncio

import pytest
from gandl_embedding.inputs import Upload, read_form
from gandl_shared.errors import Invalid, Malformed
from starlette.datastructures import Headers

from benchmarks.hostile.forms import MEDIA, parts

FILES = [("image", "a.tif", b"one"), ("image", "b.tif", b"\r\n--" * 1000)]


def read(body: bytes, media: str = MEDIA, max_files: int = 10) -> tuple[Upload, ...]:
    return asyncio.run(read_form(Headers({"Content-Type": media}), body, max_files))


def test_files_come_back_as_sent() -> None:
    uploads = read(parts(FILES)[1])
    assert [(u.field, u.filename, u.content) for u in uploads] == FILES


def test_what_is_no_form_is_malformed() -> None:
    for media in ("multipart/form-data", f"{MEDIA}; charset=idna"):
        with pytest.raises(Malformed, match="form"):
            read(parts(FILES)[1], media)
    with pytest.raises(Malformed, match="Too many files"):
        read(parts(FILES)[1], max_files=1)
    with pytest.raises(Malformed, match="cannot be read"):
        read(b"--other\r\n\r\n")


def test_a_text_is_no_image() -> None:
    body = parts(FILES)[1].replace(b'; filename="a.tif"', b"")
    with pytest.raises(Invalid, match="'image' is text"):
        read(body)
