"""Colours of values: a scale that all plates of a screen share, and its legend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_shared.schemas.vocabulary import Role

from gandl_analysis.figures.style import contrasting, efficacy_colour, ramp_colour

_SEQUENTIAL = ((68, 1, 84), (59, 82, 139), (33, 145, 140), (94, 201, 98), (253, 231, 37))
"""RGB at evenly spaced values from low to high, which colour-blind readers can tell apart (viridis, CC0)."""
_CATEGORIES = ("#4477aa", "#ee6677", "#228833", "#ccbb44", "#66ccee", "#aa3377", "#bbbbbb", "#222255", "#997700")
"""Colours of texts, in turn (P. Tol, "Colour schemes", 2021). A number in the well tells equal colours apart."""
_OUTER_SHARE = 1.0
"""The percentage of wells at each end that share the last colour, so that one outlier does not hide all others."""
ROLE_MARKS: Mapping[Role, str] = {Role.POSITIVE: "+", Role.NEGATIVE: "−"}


@dataclass(frozen=True, kw_only=True)
class ColourScale:
    """The colours of numbers between `low` and `high`, or those of texts by their place in `categories`."""

    low: float
    high: float
    is_diverging: bool
    categories: tuple[str, ...] = ()

    def colour(self, value: float | str) -> str:
        """Return the hexadecimal colour of a value; a number beyond the ends has the colour of the end."""
        if isinstance(value, str):
            return _CATEGORIES[self.categories.index(value) % len(_CATEGORIES)]
        if self.is_diverging:
            return efficacy_colour(value / self.high if self.high else 0.0)
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return ramp_colour(_SEQUENTIAL, min(max(share, 0.0), 1.0))

    def ink(self, value: float | str) -> str:
        """Return black or white, whichever can be read on the colour of a value."""
        return contrasting(self.colour(value))

    @property
    def ramp(self) -> tuple[str, ...]:
        """The colours from the low to the high end, for a legend."""
        return tuple(self.colour(value) for value in np.linspace(self.low, self.high, 9).tolist())


def colour_scale(
    values: Sequence[float | str | None], *, is_diverging: bool, limit: float | None = None
) -> ColourScale:
    """Return the scale of all values of a screen.

    A diverging scale reaches from −`limit` to +`limit`, the largest number if it is None. Another one reaches from the
    1st to the 99th percentile.
    """
    texts = sorted({value for value in values if isinstance(value, str)})
    numbers = np.array([value for value in values if isinstance(value, (int, float))], np.float64)
    if not numbers.size:
        return ColourScale(low=0.0, high=1.0, is_diverging=False, categories=tuple(texts))
    if is_diverging:
        reach = limit or float(np.abs(numbers).max())
        return ColourScale(low=-reach, high=reach, is_diverging=True)
    low, high = np.percentile(numbers, [_OUTER_SHARE, 100 - _OUTER_SHARE]).tolist()
    return ColourScale(low=low, high=high, is_diverging=False)
