"""The grade of an assay and its reasons."""

from __future__ import annotations

import numpy as np
from gandl_science.assay.grade import GradeThresholds, grade_assay
from gandl_science.assay.separation import separation

from tests.science.assay_scores import with_moments

GOOD = separation(with_moments(1, 0.1), with_moments(-1, 0.1))


def test_the_worse_of_both_z_primes_decides() -> None:
    assert grade_assay(GOOD, (0.9, 1.0)).grade == "good"
    one_extreme = separation(np.r_[with_moments(1, 0.1), 4.0], with_moments(-1, 0.1))
    graded = grade_assay(one_extreme, (0.9, 1.0))
    assert graded.grade != "good"
    assert "unlike the others" in graded.reasons[-1]


def test_an_accuracy_of_chance_is_poor() -> None:
    assert grade_assay(GOOD, (0.45, 0.8)).grade == "poor"


def test_few_controls_are_undetermined() -> None:
    few = separation(with_moments(1, 0.1, 3), with_moments(-1, 0.1, 16))
    assert grade_assay(few, (0.9, 1.0)).grade == "undetermined"
    assert grade_assay(few, (0.9, 1.0), GradeThresholds(controls=3)).grade == "good"


def test_controls_in_the_wrong_order_are_poor() -> None:
    graded = grade_assay(separation(with_moments(-1, 0.1), with_moments(1, 0.1)), None)
    assert graded.grade == "poor" and "on the side of the negative ones" in graded.reasons[0]


def test_thresholds_can_be_set() -> None:
    fair = separation(with_moments(1, 0.2), with_moments(-1, 0.2))
    assert grade_assay(fair, (0.9, 1.0)).grade == "usable"
    assert grade_assay(fair, (0.9, 1.0), GradeThresholds(good=0.1)).grade == "good"
    assert grade_assay(fair, (0.9, 1.0), GradeThresholds(usable=0.4)).grade == "poor"
