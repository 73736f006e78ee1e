"""The hit probability: its rules are those of the verdict, and fresh experiments are hits as often as it says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import Replications
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.verdict.interpretation import InterpretationRules, interpret_curve
from gandl_science.dose_response.verdict.replication import hit_probability, largest_hit_p

SCALE = ResponseScale()
RULES = InterpretationRules(scale=SCALE)
SURE = Replications(
    p=np.full(4, 1e-6),
    is_described=np.ones(4, dtype=bool),
    change=np.full(4, 1.0),
    ec50=np.array([0.1, 0.2, 0.5, 1.0]),
    base=np.full(4, -1.0),
    base_error=np.full(4, 0.1),
    lowest_mean=np.full(4, -1.0),
    highest_mean=np.zeros(4),
)


def probability(replications: Replications, onset: float | None = None, rules: InterpretationRules = RULES) -> float:
    result = hit_probability(replications, 0.01, rules, onset)
    assert result is not None
    return result


def test_every_rule_of_the_verdict_counts() -> None:
    assert probability(SURE) == 1.0
    assert probability(replace(SURE, p=np.array([0.001, 0.01, 0.02, 1.0]))) == 0.5
    assert probability(replace(SURE, is_described=np.array([True, False, True, True]))) == 0.75
    assert probability(replace(SURE, change=np.array([0.1, -1.0, 1.0, 0.3]))) == 0.5
    assert probability(SURE, onset=0.5) == 0.5
    assert probability(replace(SURE, change=-SURE.change), rules=InterpretationRules()) == 1.0
    assert hit_probability(None, 0.01, RULES) is None


def test_a_compound_that_is_active_at_all_doses_is_a_hit_without_a_change() -> None:
    plateau = replace(SURE, p=np.ones(4), base=np.full(4, 0.9), lowest_mean=np.array([0.5, 0.8, 0.7, -0.1]))
    assert probability(plateau) == 0.75
    assert probability(replace(plateau, base_error=np.full(4, 0.5))) == 0.0


def test_the_largest_p_of_a_hit_is_the_line_of_benjamini_and_hochberg() -> None:
    assert largest_hit_p([0.01, 0.04, None, 0.3, 0.9], 0.05) == pytest.approx(0.05 * 2 / 4)
    assert largest_hit_p([0.2, 0.9], 0.05) == pytest.approx(0.025)
    assert largest_hit_p([None], 0.05) == pytest.approx(0.05)


def experiments(truth: Float, doses: Float, n: int) -> tuple[Float, Float]:
    """The rate of hits among n fresh experiments at p <= 0.01, and the mean of the hit probabilities that they tell."""
    rng = np.random.default_rng(7)
    data = [DoseResponseData(doses, truth + 0.25 * rng.normal(size=doses.size)) for _ in range(n)]
    fits = fit_curves(data, CurveOptions(scale=SCALE, n_replications=50, n_null=2000), rng)
    rules = replace(RULES, alpha=0.01)
    hits = [interpret_curve(fit, fit.p_value, rules).verdict in ("active", "active_biphasic") for fit in fits]
    return np.array(hits, float), np.array([probability(fit.replications) for fit in fits if fit.replications])


@pytest.mark.parametrize(("top", "replicates"), [(0.0, 3), (0.5, 3), (2.0, 3), (0.35, 6), (2.0, 1)])
def test_the_mean_hit_probability_is_the_rate_of_hits_of_fresh_experiments(top: float, replicates: int) -> None:
    """To 0.15: the estimate of the effect varies too, which draws the mean toward a half."""
    doses = np.repeat(np.geomspace(0.01, 10.0, 6 if replicates > 1 else 8), replicates)
    hits, shares = experiments(-1 + top / (1 + (0.3 / doses) ** 1.5), doses, 60)
    assert shares.mean() == pytest.approx(hits.mean(), abs=0.15)


def test_a_bell_is_a_hit_again() -> None:
    doses = np.repeat(np.geomspace(0.01, 10.0, 8), 2)
    hits, shares = experiments(-1 + 2 / (1 + (0.1 / doses) ** 2) / (1 + (doses / 3) ** 3), doses, 10)
    assert hits.mean() == 1.0
    assert shares.mean() > 0.9
