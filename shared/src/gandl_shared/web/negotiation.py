"""Content negotiation: which of the offered media types a client prefers (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

JSON, CSV, SVG, PNG = "application/json", "text/csv", "image/svg+xml", "image/png"


class _MediaRange(NamedTuple):
    """One entry of an Accept header: a type, `type/*` or `*/*`, and its weight in [0, 1]."""

    name: str
    weight: float


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """Return the offered media type with the highest weight in an Accept header.

    Among equal weights the type that the header names first wins, then the one that is offered first. The first offered
    type is also returned if the client accepts none, as the RFC allows: a body that says its type is more useful than a
    refusal.
    """
    return _preferred(accept, tuple(offered)) if accept else offered[0]


# Clients send the same header again and again.
@lru_cache(maxsize=256)
def _preferred(accept: str, offered: tuple[str, ...]) -> str:
    ranges = [_media_range(entry) for entry in accept.split(",") if entry.strip()]
    # Among equals max returns the first, which is the type that the service prefers.
    return max(offered, key=lambda media: _preference(media, ranges))


def _media_range(entry: str) -> _MediaRange:
    name, *parameters = [piece.strip().lower() for piece in entry.split(";")]
    for parameter in parameters:
        key, _, value = parameter.partition("=")
        if key.strip() == "q":
            return _MediaRange(name, _weight(value))
    return _MediaRange(name, 1.0)


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    # NaN fails the comparison as well and becomes 0.
    return min(weight, 1.0) if weight > 0 else 0.0


def _preference(media: str, ranges: Sequence[_MediaRange]) -> tuple[float, int]:
    """Return the weight of the most specific range that covers `media` and its negative position; 0 if none does."""
    for pattern in (media, media.split("/", maxsplit=1)[0] + "/*", "*/*"):
        for position, entry in enumerate(ranges):
            # The most specific range decides, also if its weight is lower (RFC 9110).
            if entry.name == pattern:
                return entry.weight, -position
    return 0.0, -len(ranges)
