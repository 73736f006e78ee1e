"""New experiments with a compound: they scatter as the wells do, about the curve, and depend on no other compound."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.designs import designs
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.noise.replication import draw_wells
from gandl_science.dose_response.records.fit import Replications
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale

DOSES = np.geomspace(0.01, 10.0, 6)
OPTIONS = CurveOptions(n_replications=50, scale=ResponseScale())


def compound(replicates: int, seed: int, top: float = 2.0, doses: Float = DOSES) -> DoseResponseData:
    c = np.repeat(doses, replicates)
    noise = 0.25 * np.random.default_rng(seed).normal(size=c.size)
    return DoseResponseData(c, -1 + top / (1 + (doses[3] / c) ** 1.5) + noise)


def replications(*data: DoseResponseData, options: CurveOptions = OPTIONS) -> list[Replications]:
    fits = fit_curves(data, options, np.random.default_rng(0))
    return [fit.replications for fit in fits if fit.replications is not None]


@pytest.mark.parametrize(("replicates", "df"), [(2, 6), (3, 12), (1, 2)])
def test_new_wells_scatter_without_bias_about_the_curve(replicates: int, df: int) -> None:
    """Residuals of two replicates are too small by sqrt(2): the drawn variance is that of the pooled estimate."""
    data = compound(replicates, 1)
    (fit,) = fit_curves([data], CurveOptions(), np.random.default_rng(0))
    _, design = next(designs([data], CurveOptions()))
    (means,), (pure,) = draw_wells(design, np.array([0]), [fit], 4000, [np.random.default_rng(2)])
    variance = fit.sigma**2 if replicates == 1 else design.data.pure[0] / df
    assert means.mean(axis=0) == pytest.approx(fit.predict(DOSES), abs=5 * np.sqrt(variance / replicates / 4000))
    assert means.var(axis=0).mean() == pytest.approx(variance / replicates, rel=0.1)
    assert pure.mean() == pytest.approx(variance * 6 * (replicates - 1), rel=0.05, abs=1e-12)


def test_they_do_not_depend_on_other_compounds() -> None:
    own, other = compound(3, 1), compound(3, 2, doses=DOSES * 1.7)
    (alone,), together = replications(own), replications(other, own)
    assert together[1].p == pytest.approx(alone.p, rel=1e-6)
    assert together[1].change == pytest.approx(alone.change, rel=1e-6)


def test_a_series_shifted_by_a_constant_factor_gives_the_same_with_a_shifted_ec50() -> None:
    first, second = replications(compound(3, 1), compound(3, 1, doses=DOSES * 37.0))
    # The draws are those of the wells, which are the same but for rounding of the doses.
    assert np.median(second.ec50) / np.median(first.ec50) == pytest.approx(37.0, rel=0.2)
    assert np.median(np.log(second.p)) == pytest.approx(np.median(np.log(first.p)), abs=1.5)


def test_without_replications_or_without_a_test_there_are_none() -> None:
    assert replications(compound(3, 1), options=CurveOptions()) == []
    assert replications(DoseResponseData(np.array([1.0, 2.0, 3.0]), np.zeros(3))) == []
