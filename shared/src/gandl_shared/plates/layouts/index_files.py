"""Index files of instruments: read with limits, and never followed out of the images folder."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path, PurePosixPath, PureWindowsPath
from xml.parsers.expat import ExpatError, ParserCreate

from gandl_shared.errors import Invalid, Problem
from gandl_shared.files.objects import open_file

MAX_INDEX_BYTES = 2**30
"""A Harmony index of a plate of 1536 wells with 25 fields and 5 channels has about 400 MB."""
_BLOCK = 2**16


def read_xml(path: Path) -> ET.Element:
    """Parse an index. Raises Invalid naming the file if it is too large, declares a document type, or is no XML.

    A document type may define entities that unfold to gigabytes; no instrument writes one.
    """
    with open_file(path) as file:
        content = file.read(MAX_INDEX_BYTES + 1)
    if len(content) > MAX_INDEX_BYTES:
        raise _unusable(path.name, f"is larger than {MAX_INDEX_BYTES} bytes")
    if _declares_type(content):
        raise _unusable(path.name, "declares a document type, which no instrument writes")
    try:
        return ET.fromstring(content)
    except ET.ParseError as error:
        raise _unusable(path.name, f"is no valid XML: {error}") from error


class _RootElement(Exception):
    """The first element of a document, before which a document type would stand."""


def _declares_type(content: bytes) -> bool:
    """Return whether XML declares a document type, in whatever encoding and however late."""
    types: list[str] = []

    def note(name: str, *_: object) -> None:
        types.append(name)
        raise _RootElement

    def stop(*_: object) -> None:
        raise _RootElement

    parser = ParserCreate()
    parser.StartDoctypeDeclHandler = note
    parser.StartElementHandler = stop
    for start in range(0, len(content), _BLOCK):
        try:
            parser.Parse(content[start : start + _BLOCK])
        except (_RootElement, ExpatError):
            break
    return bool(types)


def resolve_named_file(root: Path, index: str, name: str) -> str:
    """Return the file that an index names, relative to the images folder `root`. `index` is relative to it as well.

    Raises Invalid if the name leads out of the folder, links resolved. Only plain names and paths below the index's own
    folder occur in real exports, so an absolute path or `..` is refused as it stands.
    """
    path = PurePosixPath(name.replace("\\", "/"))
    if path.is_absolute() or PureWindowsPath(name).drive or ".." in path.parts or "\0" in name:
        raise _unusable(index, f"names the file {name}, which is outside its folder")
    relative = (PurePosixPath(index).parent / path).as_posix()
    resolved = (root / relative).resolve()
    if not resolved.is_relative_to(root.resolve()):
        raise _unusable(index, f"names the file {name}, a link out of the images folder")
    return relative


def _unusable(index: str, why: str) -> Invalid:
    detail = f"index {index} {why}; export the plate again, or remove the index to read the files by their names"
    return Invalid(detail, problems=[Problem(detail, file=index)])
