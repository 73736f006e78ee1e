"""A multipart form in memory to the files in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from gandl_shared.errors import Invalid, Malformed
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser

from gandl_embedding.inputs.uploads import CHANNEL, IMAGE, Upload

MAX_FIELDS = 16
"""The largest number of text fields, which are refused by name afterwards."""
BLOCK = 2**18
_CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "latin-1")


class _Parser(MultiPartParser):
    """Keeps the files in memory, where the body is already."""

    spool_max_size = 2**31


async def read_form(headers: Headers, body: bytes, max_files: int) -> tuple[Upload, ...]:
    """Return the files of a form. Raises Malformed if it cannot be read, Invalid for a field that is text."""
    charset = headers.get("content-type", "").lower().partition("charset=")[2].split(";")[0].strip('" ')
    if charset and charset not in _CHARSETS:
        raise Malformed(f"the form is in the charset {charset[:20]!r}; send UTF-8")
    parser = _Parser(headers, _blocks(body), max_files=max_files, max_fields=MAX_FIELDS)
    try:
        form = await parser.parse()
    except Exception as error:
        # The parser raises errors of many classes for heads that it cannot read.
        reason = getattr(error, "message", None) or getattr(error, "detail", None) or error
        raise Malformed(f"the form cannot be read: {str(reason)[:200]}") from error
    try:
        return tuple([await _upload(name, value) for name, value in form.multi_items()])
    finally:
        await form.close()


async def _upload(name: str, value: UploadFile | str) -> Upload:
    if isinstance(value, str):
        raise Invalid(f"the form field {name!r} is text; send images as files in '{IMAGE}' or '{CHANNEL}'")
    return Upload(field=name, filename=value.filename or "", content=await value.read())


async def _blocks(body: bytes) -> AsyncGenerator[bytes, None]:
    view = memoryview(body)
    for start in range(0, len(body), BLOCK):
        yield bytes(view[start : start + BLOCK])
    yield b""
