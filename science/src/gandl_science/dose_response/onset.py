"""The onset of off-axis deviation: the dose from which wells differ from both controls, across the efficacy axis.

A compound does something else there than the positive control does; often it kills the cells.
"""

from __future__ import annotations

import numpy as np
from scipy.stats import median_abs_deviation

from gandl_science.arrays import Float

MAD_TO_SD = 1.4826
"""The median absolute deviation of normal values times this is their standard deviation (Hampel 1974). The digits are
those that are usual in the field; `scale="normal"` of scipy has more, which would change every published limit."""
_WIDTH = 3.0
"""Three robust standard deviations, the conservative cut for outliers of Leys et al. (2013)."""
_MIN_CONTROLS = 4


def off_axis_limit(control_distances: Float) -> float | None:
    """Return median + 3 x 1.4826 MAD of the control wells' distances (N,); None with fewer than four finite ones."""
    # A control without a finite distance has no usable tiles.
    finite = control_distances[np.isfinite(control_distances)] if control_distances.size else control_distances
    if finite.size < _MIN_CONTROLS:
        return None
    return float(np.median(finite) + _WIDTH * MAD_TO_SD * median_abs_deviation(finite))


def off_axis_onset(concentrations: Float, distances: Float, limit: float | None) -> float | None:
    """Return the lowest dose such that it and every higher dose has a mean distance beyond `limit`; None without one.

    `concentrations` (D,) ascend; `distances` (D,) are the mean distances of their wells. Because all higher doses must
    be beyond the limit, one stray dose in the middle is not taken for a toxic threshold.
    """
    if limit is None or not np.all(np.isfinite(distances)):
        return None
    # The onset follows the last dose that is still within the limit.
    within = np.flatnonzero(distances <= limit)
    first = int(within[-1]) + 1 if within.size else 0
    return float(concentrations[first]) if first < concentrations.size else None
