"""A multipart form in memory to the files in it."""

from __future__ import annotations

from collections.abc import AsyncGenerator

from gandl_shared.errors import Invalid, Malformed
from starlette.datastructures import Headers, UploadFile
from starlette.formparsers import MultiPartParser

from gandl_embedding.inputs.uploads import CHANNEL, IMAGE, Upload

MAX_FIELDS = 16
"""The largest number of text fields, which are refused by name afterwards."""
_CHARSETS = ("utf-8", "us-ascii", "iso-8859-1", "latin-1")


class _Parser(MultiPartParser):
    """Notes where the bytes of each part lie in the body, which is in memory, instead of writing them to files."""

    def __init__(self, headers: Headers, body: bytes, max_files: int) -> None:
        super().__init__(headers, _once(body), max_files=max_files, max_fields=MAX_FIELDS)
        self.contents: list[list[memoryview]] = []

    def on_part_begin(self) -> None:
        """Begin a part."""
        super().on_part_begin()
        self.contents.append([])

    def on_part_data(self, data: bytes, start: int, end: int) -> None:
        """Note bytes of the part that began last."""
        self.contents[-1].append(memoryview(data)[start:end])


async def read_form(headers: Headers, body: bytes, max_files: int) -> tuple[Upload, ...]:
    """Return the files of a form. Raises Malformed if it cannot be read, Invalid for a field that is text."""
    charset = headers.get("content-type", "").lower().partition("charset=")[2].split(";")[0].strip('" ')
    if charset and charset not in _CHARSETS:
        raise Malformed(f"the form is in the charset {charset[:20]!r}; send UTF-8")
    parser = _Parser(headers, body, max_files)
    try:
        form = await parser.parse()
    except Exception as error:
        # The parser raises errors of many classes for heads that it cannot read.
        reason = getattr(error, "message", None) or getattr(error, "detail", None) or error
        raise Malformed(f"the form cannot be read: {str(reason)[:200]}") from error
    try:
        return tuple(map(_upload, form.multi_items(), parser.contents))
    finally:
        await form.close()


def _upload(item: tuple[str, UploadFile | str], content: list[memoryview]) -> Upload:
    name, value = item
    if isinstance(value, str):
        raise Invalid(f"the form field {name!r} is text; send images as files in '{IMAGE}' or '{CHANNEL}'")
    return Upload(field=name, filename=value.filename or "", content=b"".join(content))


async def _once(body: bytes) -> AsyncGenerator[bytes, None]:
    yield body
