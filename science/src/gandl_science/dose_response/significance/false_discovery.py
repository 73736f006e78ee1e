"""The correction for many compounds: q-values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def q_values(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Return the p-values of one family, adjusted for its size (Benjamini and Hochberg 1995).

    An untested member (None) stays None and does not count.
    """
    tested = np.array([p for p in p_values if p is not None])
    # scipy.stats has this function, but loading it takes longer than the fits of a small table.
    order = np.argsort(tested)
    scaled = tested[order] * (tested.size / np.arange(1, tested.size + 1))
    adjusted = np.empty_like(tested)
    adjusted[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    remaining = iter(adjusted.tolist())
    return tuple(None if p is None else next(remaining) for p in p_values)
