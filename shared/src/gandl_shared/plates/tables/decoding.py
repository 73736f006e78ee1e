"""From the bytes of a file to text: UTF-8, UTF-16, UTF-32, and Windows-1252 where nothing speaks against it."""

from __future__ import annotations

import codecs
import re

from gandl_shared.plates.tables.table import TableForm

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    # The mark of UTF-32 begins with that of UTF-16, so it is compared first.
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_SAMPLE = 4000
_FOREIGN = re.compile(r"[^\x00-\x7f]{3,}")
"""Three letters beyond ASCII in a row: no word of a western language, but what other encodings look like."""


def decode(content: bytes, source: str, form: TableForm) -> tuple[str, list[str]]:
    """Return the text of a file and what was assumed. Raises the error of the form for what is not text."""
    text, notes = _decode(content, source, form)
    if "\0" in text:
        raise form.error(f"{form.name} {source} holds NUL characters, so it is no text; save it as CSV UTF-8 or .xlsx")
    return text, notes


def _decode(content: bytes, source: str, form: TableForm) -> tuple[str, list[str]]:
    encoding = _encoding(content)
    try:
        return content.decode(encoding).removeprefix("\ufeff"), []
    except UnicodeDecodeError:
        if encoding != "utf-8" or content.startswith(codecs.BOM_UTF8):
            raise form.error(
                f"{form.name} {source} is not the {encoding.upper()} text that it claims to be; save it as CSV UTF-8"
            ) from None
    return _western(content, source, form)


def _encoding(content: bytes) -> str:
    for mark, encoding in _MARKS:
        if content.startswith(mark):
            return encoding
    # UTF-16 without a mark: every second byte of ASCII text is zero.
    sample = content[:_SAMPLE]
    if sample[1::2] and not any(sample[1::2]) and all(sample[::2]):
        return "utf-16-le"
    if sample[::2] and not any(sample[::2]) and all(sample[1::2]):
        return "utf-16-be"
    return "utf-8"


def _western(content: bytes, source: str, form: TableForm) -> tuple[str, list[str]]:
    try:
        text = content.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text or _FOREIGN.search(text):
        raise form.error(
            f"{form.name} {source} is not UTF-8 text, and its encoding cannot be recognised; save it as CSV UTF-8"
        )
    return text, [f"{source} is not UTF-8; it was read as Windows-1252, as Excel writes it. Check names with accents."]
