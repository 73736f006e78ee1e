"""Which curves deserve a look first."""

from __future__ import annotations

from gandl_analysis.pages.overviews.curve_review import (
    MAX_OVERLAID,
    Attention,
    CurveFilter,
    CurveOrder,
    chosen_curves,
    curve_key,
    review_curves,
    sort_curves,
)
from gandl_shared.schemas.curve import CurveModel
from gandl_shared.schemas.vocabulary import Verdict

from tests.analysis.example.screen import example_analysis

CURVES = example_analysis(["a/b 5%"]).curves
REVIEWED = review_curves(CURVES, 0.05)
UNDECIDED = "5-Ethynyl-2′-deoxyuridine (click reagent) & <i>friends</i>"


def attention(compound: str) -> Attention:
    return next(r.attention for r in REVIEWED if r.curve.compound == compound)


def test_bad_fits_come_first_and_say_why() -> None:
    first = sort_curves(REVIEWED, CurveOrder.ATTENTION)[0]
    assert (first.curve.compound, first.attention) == (UNDECIDED, Attention.BAD_FIT)
    assert "lack of fit" in first.reasons
    assert "parameter at bound" in first.reasons


def test_the_rule_of_each_kind() -> None:
    assert attention("GS-441524") is Attention.CLEAN
    assert attention("Famotidine") is Attention.CLEAN
    assert attention("Pacritinib") is Attention.FLAGGED
    (near,) = review_curves([CURVES[1].model_copy(update={"q_value": 0.06})], 0.05)
    assert (near.attention, near.reasons) == (Attention.BORDERLINE, ("borderline: q 0.06 (active below 0.05)",))
    (again,) = review_curves([CURVES[1].model_copy(update={"hit_probability": 0.5})], 0.05)
    assert again.attention is Attention.BORDERLINE
    (misfit,) = review_curves([CURVES[1].model_copy(update={"lack_of_fit_p": 0.01})], 0.05)
    assert misfit.attention is Attention.BAD_FIT


def test_filters_and_orders() -> None:
    toxic = CurveFilter(verdict=Verdict.TOXIC, cell_line="VERO").select(REVIEWED)
    assert {r.curve.compound for r in toxic} == {"Bortezomib", "Puromycin"}
    assert all(r.curve.model is CurveModel.GAIN_LOSS for r in CurveFilter(model=CurveModel.GAIN_LOSS).select(REVIEWED))
    assert [r.curve.cell_line for r in CurveFilter(text="A/B").select(REVIEWED)] == ["HRCE", "VERO"]
    values = [r.curve.ec50.value for r in sort_curves(REVIEWED, CurveOrder.EC50)]
    numbers = [value for value in values if value is not None]
    assert values == sorted(numbers) + [None] * (len(values) - len(numbers))


def test_chosen_curves_are_named_by_cell_line_and_compound() -> None:
    keys = [curve_key(CURVES[0]), "nowhere/x", "nonsense", curve_key(CURVES[12]), curve_key(CURVES[0])]
    assert keys[0] == "HRCE/a%2Fb%205%25"
    assert chosen_curves(CURVES, keys) == [CURVES[0], CURVES[12]]
    assert len(chosen_curves(CURVES, map(curve_key, CURVES))) == MAX_OVERLAID
