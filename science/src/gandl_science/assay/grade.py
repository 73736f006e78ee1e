"""The grade of an assay: one word for the separation of its controls, by thresholds that can be set."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from gandl_science.assay.separation import Separation

Grade = Literal["good", "usable", "poor", "undetermined"]

_MAX_DIFFERENCE = 0.3  # of Z′ and its robust form; few wells scatter by less


@dataclass(frozen=True, kw_only=True)
class GradeThresholds:
    """The thresholds of a grade.

    `good` and `usable` are the smallest Z′ of these grades (0.5 and 0 after Zhang, Chung and Oldenburg 1999).
    `controls` is the smallest number of wells per class for a grade, and the lower bound of the accuracy of wells must
    exceed `chance`.
    """

    good: float = 0.5
    usable: float = 0.0
    controls: int = 4
    chance: float = 0.5


@dataclass(frozen=True)
class GradedAssay:
    """A grade and the reasons for it, each a sentence."""

    grade: Grade
    reasons: tuple[str, ...]


def grade_assay(
    separation: Separation, well_accuracy: tuple[float, float] | None, thresholds: GradeThresholds | None = None
) -> GradedAssay:
    """Grade the out-of-fold separation of controls; `well_accuracy` is the interval of the accuracy of wells.

    The worse of Z′ and its robust form decides, so that one extreme well neither hides a poor assay nor fails a good
    one without a reason being given.
    """
    rules = thresholds or GradeThresholds()
    fewest = min(separation.n_positive, separation.n_negative)
    # Z′ is not defined for controls in the wrong order, so their order is checked by SSMD first.
    if fewest >= rules.controls and separation.ssmd is not None and separation.ssmd < 0:
        return GradedAssay("poor", ("held-out positive controls lie on the side of the negative ones",))
    if fewest < rules.controls or separation.z_prime is None or separation.z_prime_robust is None:
        counts = f"{separation.n_positive} positive and {separation.n_negative} negative control wells"
        return GradedAssay("undetermined", (f"{counts}; a verdict needs {rules.controls} of each that differ",))
    if well_accuracy is not None and well_accuracy[0] <= rules.chance:
        reason = f"held-out control wells are not told apart better than chance (accuracy from {well_accuracy[0]:.2f})"
        return GradedAssay("poor", (reason,))
    worse = min(separation.z_prime, separation.z_prime_robust)
    reasons = [f"Z′ {separation.z_prime:.2f}, robust {separation.z_prime_robust:.2f}"]
    if abs(separation.z_prime - separation.z_prime_robust) > _MAX_DIFFERENCE:
        reasons.append("Z′ and its robust form differ: a few control wells are unlike the others")
    grade: Grade = "good" if worse >= rules.good else "usable" if worse >= rules.usable else "poor"
    return GradedAssay(grade, tuple(reasons))
