"""References to an image inside a file: `A01.ome.tif#image=2` is the second image of the file `A01.ome.tif`.

A site names its images by such references, so that a file with several images needs no copies. A name without `#` is
the name of a file whose only image is meant.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

_REFERENCE = re.compile(r"(?P<file>.+)#(?P<parts>[a-z]+=[^#&]*(?:&[a-z]+=[^#&]*)*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True)
class ImageReference:
    """A file, and which of its images is meant: `parts` has the keys and values after the `#`, in their order."""

    file: str
    parts: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        parts = "&".join(f"{key}={value}" for key, value in self.parts.items())
        return f"{self.file}#{parts}" if parts else self.file


def parse_reference(name: str) -> ImageReference:
    """Return the reference that a name spells. Everything is a file name that does not end as a reference does."""
    match = _REFERENCE.fullmatch(name)
    if match is None:
        return ImageReference(file=name)
    pairs = (part.partition("=") for part in match["parts"].split("&"))
    return ImageReference(file=match["file"], parts={key: value for key, _, value in pairs})


def image_name(file: str, number: int, count: int) -> str:
    """Return how image `number` of `count` in a file is named: the file itself where it is the only one."""
    return file if count == 1 else str(ImageReference(file=file, parts={"image": str(number)}))


def file_of(path: Path) -> Path:
    """Return the path of the file that a reference is into."""
    return Path(parse_reference(str(path)).file)
