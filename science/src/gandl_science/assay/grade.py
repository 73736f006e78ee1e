"""What the figures of an assay amount to, in one word, by thresholds that can be set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gandl_science.assay.separation import Separation

Grade = Literal["good", "usable", "poor", "undetermined"]


@dataclass(frozen=True)
class QualityThresholds:
    """`good`, `usable`: least Z′ (0.5 and 0 after Zhang, Chung and Oldenburg 1999). `controls`: fewest wells of each
    class for a verdict at all. `chance`: the lower bound of the accuracy of wells must lie above this."""

    good: float = 0.5
    usable: float = 0.0
    controls: int = 4
    chance: float = 0.5


@dataclass(frozen=True)
class Verdict:
    """A grade and the reasons for it, each a sentence."""

    grade: Grade
    reasons: tuple[str, ...]


def verdict(
    separation: Separation, well_accuracy: tuple[float, float] | None, thresholds: QualityThresholds | None = None
) -> Verdict:
    """Grade the out-of-fold separation of controls; `well_accuracy` is the interval of the wells' accuracy.

    The worse of Z′ and its robust form decides: one wild well must not fail an assay unseen, nor pass one.
    """
    rules = thresholds or QualityThresholds()
    fewest = min(separation.n_positive, separation.n_negative)
    if fewest >= rules.controls and separation.ssmd is not None and separation.ssmd < 0:
        return Verdict("poor", ("held-out positive controls lie on the side of the negative ones",))
    if fewest < rules.controls or separation.z_prime is None or separation.z_prime_robust is None:
        known = f"{separation.n_positive} positive and {separation.n_negative} negative control wells"
        return Verdict("undetermined", (f"{known}; a verdict needs {rules.controls} of each that differ",))
    if well_accuracy is not None and well_accuracy[0] <= rules.chance:
        reason = f"held-out control wells are not told apart better than chance (accuracy from {well_accuracy[0]:.2f})"
        return Verdict("poor", (reason,))
    worse = min(separation.z_prime, separation.z_prime_robust)
    reasons = [f"Z′ {separation.z_prime:.2f}, robust {separation.z_prime_robust:.2f}"]
    if abs(separation.z_prime - separation.z_prime_robust) > 0.3:
        reasons.append("Z′ and its robust form differ: a few control wells are unlike the others")
    grade: Grade = "good" if worse >= rules.good else "usable" if worse >= rules.usable else "poor"
    return Verdict(grade, tuple(reasons))
