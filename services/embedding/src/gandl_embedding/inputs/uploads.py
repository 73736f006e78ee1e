"""The files of a multipart request."""

from __future__ import annotations

import dataclasses
import re
from dataclasses import dataclass

IMAGE, CHANNEL = "image", "channel"
"""Form fields: one multi-channel image per part, or one channel per part in the order of the model's channels."""


@dataclass(frozen=True, kw_only=True)
class Upload:
    """One file of a multipart request."""

    field: str
    filename: str
    content: bytes = dataclasses.field(repr=False)


def safe_name(filename: str) -> str:
    """Return a client's file name in a form that is safe in a message and in a folder."""
    plain = re.sub(r"[^\w.+-]", "_", filename.replace("\\", "/").rsplit("/", 1)[-1], flags=re.ASCII)[-100:]
    return plain if plain.strip(".") else "unnamed"
