"""Numbers of a result as short texts."""

from __future__ import annotations

from gandl_shared.schemas.curve import CurveLocation


def location_text(location: CurveLocation) -> str:
    """Return `0.012` or `> 30`, or the empty text where there is no EC50."""
    if location.value is None:
        return ""
    return f"{'' if location.relation == '=' else f'{location.relation} '}{location.value:.3g}"


def interval_text(location: CurveLocation) -> str:
    """Return `0.01 to 0.02`, with `…` for an open side, or the empty text where there is no interval."""
    if location.value is None or (location.low is None and location.high is None):
        return ""
    low = "…" if location.low is None else f"{location.low:.3g}"
    high = "…" if location.high is None else f"{location.high:.3g}"
    return f"{low} to {high}"


def fixed(value: float | None, digits: int) -> str:
    """Return a number with that many digits after the point, or the empty text for None."""
    return "" if value is None else f"{value:.{digits}f}"
