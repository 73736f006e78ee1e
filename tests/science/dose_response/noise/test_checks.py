"""The p-value after the checks, as `fit_curves` reports it for each null."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.records.vocabulary import Null

C = np.repeat(np.geomspace(0.01, 10.0, 6), 3)


def fits(responses: Float, null: Null) -> tuple[CurveFit, ...]:
    data = [DoseResponseData(C, y) for y in responses]
    return fit_curves(data, CurveOptions(n_null=2000, null=null), np.random.default_rng(0))


def p_values(responses: Float, null: Null) -> Float:
    return np.array([fit.p_value for fit in fits(responses, null)], dtype=float)


def test_the_checks_only_ever_raise_p() -> None:
    responses = np.random.default_rng(0).normal(size=(100, C.size)) + 0.4 * np.log10(C)
    normal, automatic, unequal = (p_values(responses, n) for n in (Null.NORMAL, Null.AUTOMATIC, Null.UNEQUAL))
    assert np.all(automatic >= normal)
    assert np.all(unequal >= automatic - 1e-12)
    assert np.mean(unequal > normal) > 0.1


def test_a_noisy_top_dose_is_overruled_or_flagged() -> None:
    responses = np.random.default_rng(1).normal(size=(300, C.size))
    responses[:, -3:] *= 5
    assert np.mean(p_values(responses, Null.NORMAL) <= 0.05) > 0.2
    assert np.mean(p_values(responses, Null.UNEQUAL) <= 0.05) < 0.05
    automatic = fits(responses, Null.AUTOMATIC)
    called = [fit for fit in automatic if fit.p_value is not None and fit.p_value <= 0.05]
    assert len(called) < 0.09 * len(automatic)
    assert sum(not (fit.assumes_equal_scatter or fit.has_unequal_scatter) for fit in called) < 0.04 * len(automatic)


def test_a_full_curve_keeps_its_significance_under_every_null() -> None:
    truth = 2 / (1 + (0.3 / C) ** 1.5)
    responses = truth + 0.25 * np.random.default_rng(2).normal(size=(20, C.size))
    for null in Null:
        assert np.all(p_values(responses, null) < 0.001), null
    assert not any(fit.assumes_equal_scatter for fit in fits(responses, Null.AUTOMATIC))


@pytest.mark.parametrize("tails", [1.5, 3.0])
def test_the_permutation_null_holds_with_heavy_tails(tails: float) -> None:
    responses = np.random.default_rng(3).standard_t(tails, size=(200, C.size))
    assert np.sum(p_values(responses, Null.PERMUTATION) <= 0.05) <= 20
