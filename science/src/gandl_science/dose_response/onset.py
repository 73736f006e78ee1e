"""The dose from which wells leave the controls off the axis: where a compound becomes toxic, or does something else."""

from __future__ import annotations

import numpy as np

from gandl_science.dose_response.models import Floats

_WIDTH = 3.0
_MIN_CONTROLS = 4


def departure_limit(control_distances: Floats) -> float | None:
    """Median + 3 x 1.4826 MAD of the control wells' distances (N,); None with fewer than four finite ones."""
    known = control_distances[np.isfinite(control_distances)] if control_distances.size else control_distances
    if known.size < _MIN_CONTROLS:
        return None
    centre = np.median(known)
    return float(centre + _WIDTH * 1.4826 * np.median(np.abs(known - centre)))


def departure_dose(concentrations: Floats, distances: Floats, limit: float | None) -> float | None:
    """The lowest dose such that it and every higher one has a mean distance beyond `limit`; None if there is none.

    Concentrations ascend, one mean distance each. Asking for all higher doses keeps one stray dose in the middle from
    being called a toxic threshold.
    """
    if limit is None or not np.all(np.isfinite(distances)):
        return None
    within = np.flatnonzero(distances <= limit)
    first = int(within[-1]) + 1 if within.size else 0
    return float(concentrations[first]) if first < concentrations.size else None
