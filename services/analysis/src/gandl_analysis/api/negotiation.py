"""Which of the offered forms a client prefers (RFC 9110, section 12.5.1)."""

from __future__ import annotations

from collections.abc import Sequence

JSON, CSV, SVG, PNG = "application/json", "text/csv", "image/svg+xml", "image/png"


def preferred(accept: str | None, offered: Sequence[str]) -> str:
    """The offered media type with the highest weight, earlier ones first among equals.

    Where none is acceptable the first is answered all the same, as the RFC allows: a body that says its type is more
    use than a refusal.
    """
    if not accept:
        return offered[0]
    ranges = [_weighted(part) for part in accept.split(",") if part.strip()]
    weights = [_weight(media, ranges) for media in offered]
    best = max(weights)
    return offered[weights.index(best)]


def _weighted(part: str) -> tuple[str, float]:
    media, *parameters = [piece.strip().lower() for piece in part.split(";")]
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip() == "q":
            return media, _number(value)
    return media, 1.0


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return min(number, 1.0) if number > 0 else 0.0


def _weight(media: str, ranges: Sequence[tuple[str, float]]) -> float:
    """The weight of the most specific range that covers `media`; 0 where none does."""
    kind = media.split("/", maxsplit=1)[0] + "/*"
    for wanted in (media, kind, "*/*"):
        found = [weight for name, weight in ranges if name == wanted]
        if found:
            return found[0]
    return 0.0
