"""Analysis of variance is the textbook's, and lack of fit needs replicates."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.models import log_dose
from gandl_science.dose_response.significance.f_tests import anova_p, lack_of_fit_p
from gandl_science.dose_response.solver.means import DoseMeans, dose_means
from scipy.stats import f_oneway

X = log_dose(np.geomspace(0.01, 10.0, 6))


def flat(n: int, replicates: int, rng: np.random.Generator) -> DoseMeans:
    wells = rng.normal(size=(n, 6, replicates))
    return dose_means(X, wells, np.ones_like(wells))


def test_anova_is_scipys() -> None:
    wells = np.random.default_rng(0).normal(size=(1, 6, 4))
    ours = anova_p(dose_means(X, wells, np.ones_like(wells)))
    assert ours[0] == pytest.approx(f_oneway(*wells[0]).pvalue, rel=1e-9)


def test_lack_of_fit_of_a_constant_is_anova_and_needs_replicates() -> None:
    data = flat(3, 4, np.random.default_rng(2))
    assert lack_of_fit_p(data, data.between, 1) == pytest.approx(anova_p(data))
    single = flat(3, 1, np.random.default_rng(2))
    assert np.isnan(lack_of_fit_p(single, single.between, 1)).all()
    assert np.isnan(lack_of_fit_p(data, data.between, 6)).all()
