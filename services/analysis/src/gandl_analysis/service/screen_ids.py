"""The form of a screen's id."""

from __future__ import annotations

import re

from gandl_shared.errors import NotFound

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_MAX_SHOWN = 80


def require_screen_id(text: str) -> str:
    """Return `text` if it can be the id of a screen. Raises NotFound for other text, before a database or a path gets
    it."""
    if not _ID.fullmatch(text):
        raise NotFound(f"there is no screen '{text[:_MAX_SHOWN]}'")
    return text
