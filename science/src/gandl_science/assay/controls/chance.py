"""Whether held-out controls are separated at all: an exact test against chance.

Where they are not, the axis has no direction that any control confirms, and neither has an efficacy along it.
"""

from __future__ import annotations

from dataclasses import dataclass

from scipy.stats import mannwhitneyu

from gandl_science.arrays import Float

MAX_CHANCE_P = 0.01
"""The largest p-value of controls that are separated.

Held-out scores of one assay depend on each other through the axes that they share, so that assays without effect reach
0.01 in 3 to 4 of 100 cases and not in 1 (docs/axes-and-quality.md)."""


@dataclass(frozen=True, kw_only=True)
class ChanceTest:
    """The test of control scores against chance.

    `p_value` is the probability that positive controls score so far above negative ones without any effect.
    """

    p_value: float
    at_chance: bool


def chance_test(positive: Float, negative: Float) -> ChanceTest | None:
    """Test whether the scores of positive [P] controls are above those of negative [N] ones; None without both.

    The test is that of Mann and Whitney (1947), one-sided, exact where there are no ties and few wells. Controls are at
    chance if its p-value is above MAX_CHANCE_P and their scores overlap. Two or three wells of a class cannot reach
    that p-value, so that the order of all wells decides there.
    """
    if not len(positive) or not len(negative):
        return None
    p_value = float(mannwhitneyu(positive, negative, alternative="greater").pvalue)
    overlap = positive.min() <= negative.max()
    return ChanceTest(p_value=p_value, at_chance=bool(overlap and p_value > MAX_CHANCE_P))
