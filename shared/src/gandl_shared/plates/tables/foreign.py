"""Contents that are no table of text, by their first bytes: what a server sends in place of a file, other formats."""

from __future__ import annotations

from collections.abc import Mapping

_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<head", b"<body", b"<error")
_TEXTS: Mapping[str, tuple[bytes, ...]] = {
    "is a page of HTML or XML and no table; open its address in a browser to see what the server says": _MARKUP,
    "is a pointer of Git LFS and not the file itself; get the file by `git lfs pull`": (b"version https://git-lfs",),
    # A single bracket is no JSON: a title such as [Header] may stand above a table.
    "is JSON and no table": (b'{"', b"{}", b"{\n", b"{\r", b"{ ", b"[{", b'["', b"[[", b"[\n"),
}
_BINARIES: Mapping[str, tuple[bytes, ...]] = {
    "is Parquet; save it as CSV": (b"PAR1",),
    "is compressed by gzip; unpack it": (b"\x1f\x8b",),
    "is HDF5; save it as CSV": (b"\x89HDF",),
    "is a PDF; save the table as CSV": (b"%PDF",),
}


def foreign_text(head: bytes) -> str | None:
    """Return what a text is that is no table, with the fix; None for what may be a table. A BOM is passed over."""
    start = head[:512].removeprefix(b"\xef\xbb\xbf").lstrip().lower()
    return next((detail for detail, starts in _TEXTS.items() if start.startswith(starts)), None)


def foreign_file(head: bytes) -> str | None:
    """Return what a file is that is neither a table of text nor a workbook, with the fix; None for what may be one."""
    return foreign_text(head) or next((detail for detail, starts in _BINARIES.items() if head.startswith(starts)), None)
