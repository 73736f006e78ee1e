"""A microscope without nuisances."""

from __future__ import annotations

import numpy as np
from gandl.simulate.microscope.effects import WellEffects


def still(*, density: float = 1.0, shading: float = 0.0) -> WellEffects:
    """Return effects with a gain of one, hardly any blur, and even light."""
    ones = np.ones(5)
    return WellEffects(gain=ones, offset=ones, density=density, blur=0.01, lamp=(0.0, 0.0), shading=shading)
