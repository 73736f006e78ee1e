"""Control wells whose held-out score is that of the other class, as if their labels or contents were swapped."""

from __future__ import annotations

import numpy as np
from scipy.stats import t as student

from gandl_science.arrays import Float, Index, Mask
from gandl_science.assay.spread import MAD_TO_SD

MAX_FALSE_ALARMS = 0.01
"""The largest share of assays with right labels in which any control is named."""
_MIN_CONTROLS = 4


def mislabelled_controls(scores: Float, labels: Index) -> Mask:
    """Return the control wells (N,) that score like the other class and not like their own.

    `scores` (N,) are held-out scores along the axis of wells with `labels` (N,), +1, -1 or 0. A control is named if it
    is on the other side of the midpoint between the medians of the classes, farther from the median of its own class
    than a control of it is by chance, and no farther from the median of the other class. The scale is 1.4826 times the
    median distance of all controls from the median of their class, which a few swapped wells hardly move. The cut is
    that of Student's t for MAX_FALSE_ALARMS over all controls, with half as many degrees of freedom as controls,
    because a median is worth about half of the wells. No well is named with fewer than four controls of a class, or
    where the classes are no farther apart than the cut.
    """
    usable = np.isfinite(scores) & (labels != 0)
    named = np.zeros(len(scores), bool)
    classes = [scores[usable & (labels == side)] for side in (-1, 1)]
    if min(map(len, classes)) < _MIN_CONTROLS:
        return named
    negative, positive = (float(np.median(values)) for values in classes)
    own, other = np.where(labels > 0, positive, negative), np.where(labels > 0, negative, positive)
    n = int(usable.sum())
    scale = MAD_TO_SD * float(np.median(np.abs(scores - own)[usable]))
    cut = scale * float(student.isf(MAX_FALSE_ALARMS / n, n / 2 - 1))
    # Classes that are nearer than a control strays by chance cannot show whose a control is.
    if positive - negative <= cut or scale == 0:
        return named
    wrong_side = (scores - (negative + positive) / 2) * labels < 0
    named[usable] = (wrong_side & (np.abs(scores - own) > cut) & (np.abs(scores - other) <= cut))[usable]
    return named
