"""Benjamini-Hochberg over the compounds of a family."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.stats import false_discovery_control


def q_values(p_values: Sequence[float | None]) -> tuple[float | None, ...]:
    """Benjamini-Hochberg adjusted p-values (1995); an untested member (None) stays None and is not counted."""
    tested = [p for p in p_values if p is not None]
    if not tested:
        return tuple(None for _ in p_values)
    adjusted = iter(false_discovery_control(np.array(tested), method="bh").tolist())
    return tuple(None if p is None else float(next(adjusted)) for p in p_values)
