"""A published neutralisation curve whose responses are capped at 0 and 1: its noise is not normal.

The set and its IC50 of 0.0025 (with plateaus fixed at 0 and 1) are those of neutcurve (README.md). Downweighting 12 of
its 30 wells once gave an EC50 below 2.5e-6.
"""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.verdict.interpretation import InterpretationRules, interpret_curve

TABLE = Path(__file__).parent / "tables" / "published_curves.csv"
IC50 = 0.0025


@pytest.mark.parametrize("robust", [True, False])
def test_the_ec50_of_capped_data_is_the_published_one(robust: bool) -> None:
    with TABLE.open(newline="") as file:
        wells = [
            (float(record["concentration_um"]), float(record["response"]))
            for record in csv.DictReader(file)
            if record["compound"] == "neutcurve SerumAd0_A India-PUN-NIV328484 2021"
        ]
    assert len(wells) == 30
    fit = fit_curves([DoseResponseData(*np.array(wells).T)], CurveOptions(robust=robust), np.random.default_rng(0))[0]
    meaning = interpret_curve(fit, fit.p_value, InterpretationRules())
    assert meaning.ec50.relation == "="
    assert meaning.ec50.value == pytest.approx(IC50, rel=0.25)
    assert (meaning.ec50.low or 0.0) < IC50 < (meaning.ec50.high or np.inf)
    # No well loses weight where more than a fifth would; the flag says that so many seem to be outliers.
    assert fit.weights.tolist() == [1.0] * 30
    assert fit.has_many_outliers == robust
