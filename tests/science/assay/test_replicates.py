"""Mean average precision is that of copairs' own tables, and it is high where replicates agree."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from copairs.map import average_precision, mean_average_precision
from gandl_science.assay.replicates import replicate_map
from numpy.typing import NDArray

GROUPS = ["strong"] * 4 + ["weak"] * 4 + ["single"] + ["control"] * 16
NEGATIVE = np.array([g == "control" for g in GROUPS])


def profiles(seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(len(GROUPS), 30))
    x[:4, :5] += 4
    return x


def test_reproducible_replicates_have_a_small_q() -> None:
    strong, weak = replicate_map(profiles(), GROUPS, NEGATIVE, seed=0)
    assert (strong.group, strong.n, strong.mean_average_precision) == ("strong", 4, pytest.approx(1))
    assert strong.q_value < 0.01
    assert weak.q_value > 0.05
    assert weak.group == "weak"  # the single well has no replicate and no result


def test_results_are_those_of_copairs(tmp_path: Path) -> None:
    x = profiles()
    meta = pd.DataFrame({"group": GROUPS, "reference": np.where(NEGATIVE, np.arange(len(GROUPS)), -1)})
    ap = average_precision(meta, x, ["group", "reference"], [], [], ["group", "reference"], progress_bar=False)
    table = mean_average_precision(
        ap[~NEGATIVE], ["group"], 10_000, 0.05, seed=1, progress_bar=False, cache_dir=tmp_path
    ).set_index("group")
    for ours in replicate_map(x, GROUPS, NEGATIVE, seed=0):
        theirs = table.loc[ours.group]
        assert ours.mean_average_precision == pytest.approx(theirs["mean_average_precision"], rel=1e-5)
        # Two nulls of 10,000 draws: within four standard errors of a difference of shares. Ours counts ties too.
        assert theirs["p_value"] - 0.03 < ours.p_value < theirs["p_value"] + 0.05


def test_random_profiles_have_uniform_p() -> None:
    rng = np.random.default_rng(0)
    groups = [f"g{i // 4}" for i in range(80)] + ["control"] * 16
    negative = np.arange(96) >= 80
    results = replicate_map(rng.normal(size=(96, 30)), groups, negative, seed=0, null_size=1000)
    assert len(results) == 20
    assert sum(r.p_value < 0.05 for r in results) <= 5  # 1 is expected; groups share their controls


@pytest.mark.parametrize("controls", [8, 16])
def test_pairs_that_do_nothing_are_not_reproducible(controls: int) -> None:
    """Two wells rank each other first among eight controls by chance in one case of nine."""
    groups = [f"g{i // 2}" for i in range(120)] + ["control"] * controls
    negative = np.arange(len(groups)) >= 120
    p = []
    for seed in range(10):
        x = np.random.default_rng(seed).normal(size=(len(groups), 30))
        p += [r.p_value for r in replicate_map(x - x[negative].mean(axis=0), groups, negative, seed=0)]
    assert len(p) == 600
    assert np.mean(np.array(p) <= 0.05) <= 0.08
    assert min(p) > 1 / (controls + 2)


def test_a_perfect_pair_among_many_controls_is_reproducible() -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(202, 30))
    x[:2, :5] += 4
    (pair,) = replicate_map(x, ["pair"] * 2 + ["control"] * 200, np.arange(202) >= 2, seed=0)
    assert (pair.mean_average_precision, pair.p_value) == (1.0, pytest.approx(1 / 201, abs=0.003))


def test_the_same_seed_gives_the_same_result() -> None:
    assert replicate_map(profiles(), GROUPS, NEGATIVE, seed=3) == replicate_map(profiles(), GROUPS, NEGATIVE, seed=3)


def test_without_controls_there_is_no_result() -> None:
    assert replicate_map(profiles(), GROUPS, np.zeros(len(GROUPS), bool), seed=0) == ()


def test_wells_without_vectors_are_left_out() -> None:
    x = profiles()
    x[0] = np.nan
    assert replicate_map(x, GROUPS, NEGATIVE, seed=0)[0].n == 3
