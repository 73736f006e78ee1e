"""The onset of off-axis deviation: the dose from which wells differ from both controls, across the efficacy axis.

A compound does something else there than the positive control does; often it kills the cells.
"""

from __future__ import annotations

import numpy as np
import scipy

from gandl_science.arrays import Float, Index

MAD_TO_SD = 1.4826
"""The median absolute deviation of normal values times this is their standard deviation (Hampel 1974). The digits are
those that are usual in the field; `scale="normal"` of scipy has more, which would change every published limit."""
_WIDTH = 3.0
"""Three robust standard deviations, the conservative cut for outliers of Leys et al. (2013)."""
_MIN_CONTROLS = 4
_DIFFERENT_P = 0.01
"""The p-value below which the two classes of controls have limits of their own: of few wells, medians and spreads
differ by chance, and the larger limit would miss toxic wells."""


def off_axis_limit(distances: Float, labels: Index) -> float | None:
    """Return the distance beyond which a well is like neither control; None with fewer than four controls.

    `distances` (N,) are those of wells with `labels` (N,), +1 and -1 for the two classes of controls; other wells (0)
    and distances that are not finite do not count. The limit is median + 3 x 1.4826 MAD of all controls. Where the
    distances of the classes differ (Mann and Whitney 1947, p < 0.01) it is that of the class that is farther out, if
    that is larger: positive controls often vary more than negative ones, and a limit pooled over both would call their
    own phenotype toxic.
    """
    # A control without a finite distance has no usable tiles.
    usable = np.isfinite(distances)
    classes = [distances[usable & (labels == side)] for side in (-1, 1)]
    pooled = np.concatenate(classes)
    if pooled.size < _MIN_CONTROLS:
        return None
    if (
        min(group.size for group in classes) < _MIN_CONTROLS
        or scipy.stats.mannwhitneyu(*classes).pvalue >= _DIFFERENT_P
    ):
        return _robust_limit(pooled)
    return max(_robust_limit(pooled), _robust_limit(max(classes, key=lambda group: float(np.median(group)))))


def _robust_limit(distances: Float) -> float:
    return float(np.median(distances) + _WIDTH * MAD_TO_SD * scipy.stats.median_abs_deviation(distances))


def off_axis_onset(
    concentrations: Float,
    distances: Float,
    limit: Float | float | None,
    p_values: Float | None = None,
    level: float | None = None,
) -> float | None:
    """Return the lowest dose such that it and every higher dose has a mean distance beyond `limit`; None without one.

    `concentrations` (D,) ascend; `distances` (D,) are the mean distances of their wells; `limit` is one number or (D,).
    Where the controls are known, `p_values` (D,) must be at most `level` too. Because all higher doses must deviate,
    one stray dose in the middle is not taken for a toxic threshold, and the doses below the highest one need no
    correction for their number: each is tested only if all higher ones deviate (Maurer, Hothorn and Lehmacher 1995).
    """
    if limit is None or not np.all(np.isfinite(distances)):
        return None
    beyond = np.asarray(distances > limit)
    if p_values is not None:
        beyond &= p_values <= (-1.0 if level is None else level)
    # The onset follows the last dose that is still like the controls.
    within = np.flatnonzero(~beyond)
    first = int(within[-1]) + 1 if within.size else 0
    return float(concentrations[first]) if first < concentrations.size else None
