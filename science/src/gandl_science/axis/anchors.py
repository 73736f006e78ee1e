"""Anchors: the mean scores of the two controls, which put efficacy at -1 (negative) and +1 (positive)."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from gandl_science.arrays import Float, Index


class AnchorSource(StrEnum):
    """The wells that the anchors of a cell line come from. The values are the words of results and reports."""

    HELD_OUT = "held-out controls"
    OWN_CONTROLS = "own controls"
    """Controls of the scored screen, while the axis comes from an earlier one."""
    STORED = "stored with the axis"
    IN_SAMPLE = "in-sample controls"


@dataclass(frozen=True, kw_only=True)
class Anchors:
    """The mean scores of the negative and of the positive control wells along an axis.

    Anchors must come from out-of-fold scores. Scores that training wells get from their own axis are further apart
    than those of any other well, so that unseen positive controls would fall short of +1.
    """

    negative: float
    positive: float

    @property
    def separated(self) -> bool:
        """True if held-out positive controls score above held-out negative ones. Otherwise there is no efficacy."""
        return self.positive > self.negative

    def efficacy(self, on: Float) -> Float:
        """Return -1 + 2 (on - μ₋) / (μ₊ - μ₋), or NaN everywhere if the controls are not separated."""
        # A distance of zero or below would blow up or turn the scale: no efficacy is better than a wrong one.
        if not self.separated:
            return np.full_like(on, np.nan)
        return -1 + 2 * (on - self.negative) / (self.positive - self.negative)


def control_anchors(on: Float, labels: Index) -> Anchors:
    """Return the anchors of well scores [W] with labels [W] (+1, -1, 0). Wells without a score are left out."""
    negative, positive = (float(np.nanmean(on[labels == side])) for side in (-1, 1))
    return Anchors(negative=negative, positive=positive)
