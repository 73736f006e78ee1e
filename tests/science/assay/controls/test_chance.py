"""The test of control scores against chance."""

from __future__ import annotations

from math import comb

import numpy as np
import pytest
from gandl_science.assay.controls.chance import MAX_CHANCE_P, chance_test
from gandl_science.axis.cross_fit import held_out_scores
from threadpoolctl import threadpool_limits

from tests.science.simulated_plates import Design, draw


@pytest.mark.parametrize("wells", [2, 3, 4, 6, 8])
def test_the_p_value_of_complete_separation_is_one_of_all_orders(wells: int) -> None:
    """Mann and Whitney 1947: without an effect, each choice of the highest wells is as probable as any other."""
    test = chance_test(np.arange(wells) + 10.0, np.arange(wells) * 1.0)
    assert test is not None
    assert test.p_value == pytest.approx(1 / comb(2 * wells, wells))
    assert not test.at_chance


def test_few_wells_that_overlap_are_at_chance() -> None:
    test = chance_test(np.array([1.0, 3.0]), np.array([0.0, 2.0]))
    assert test is not None and test.at_chance


def test_one_wrong_well_of_twelve_is_no_chance() -> None:
    """The plate map may have one wrong well; the others still show the effect."""
    test = chance_test(np.array([0.25, 5, 6, 7, 8, 9]), np.arange(6) * 0.1)
    assert test is not None and not test.at_chance


def test_controls_the_wrong_way_round_are_at_chance() -> None:
    test = chance_test(np.arange(8) * 1.0, np.arange(8) + 10.0)
    assert test is not None and test.at_chance and test.p_value == pytest.approx(1.0)


def test_equal_scores_are_at_chance() -> None:
    test = chance_test(np.ones(6), np.ones(6))
    assert test is not None and test.at_chance


def test_without_controls_of_both_kinds_there_is_nothing_to_test() -> None:
    assert chance_test(np.ones(3), np.empty(0)) is None
    assert chance_test(np.empty(0), np.ones(3)) is None


def test_independent_scores_without_effect_are_separated_as_rarely_as_the_p_value_says() -> None:
    rng = np.random.default_rng(0)
    tests = [chance_test(*rng.normal(size=(2, 6))) for _ in range(300)]
    assert sum(not test.at_chance for test in tests if test is not None) <= 300 * MAX_CHANCE_P + 3 * 1.7


def test_of_100_assays_without_effect_at_most_5_pass_and_of_20_that_work_none_fails() -> None:
    """Held-out scores depend on each other, so that more assays pass than with independent scores."""
    assert _passed(effect=0.0, assays=100) <= 5
    assert _passed(effect=6.0, assays=20) == 20


def _passed(*, effect: float, assays: int) -> int:
    design = Design(controls=12, unseen=1, features=16, tiles=3, effect=effect)
    plates = [draw(design, np.random.default_rng(seed)) for seed in range(assays)]
    # The matrices are small, and on a busy machine the threads of BLAS wait for each other.
    with threadpool_limits(1, user_api="blas"):
        scores = [held_out_scores(plate.vectors, plate.well, plate.labels, plate.folds).on for plate in plates]
    pairs = zip(scores, plates, strict=True)
    tests = [chance_test(on[plate.labels == 1], on[plate.labels == -1]) for on, plate in pairs]
    return sum(test is not None and not test.at_chance for test in tests)
