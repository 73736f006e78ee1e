"""The table of compounds: the order of the ranking, potency on a scale, and counts over cell lines."""

from __future__ import annotations

import pytest
from gandl_analysis.pipeline.ranking import rank_compounds
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report import compounds
from gandl_analysis.report.compounds import CompoundCounts, compound_rows, count_compounds, dose_range_of
from gandl_shared.schemas.curve import Curve, Relation
from gandl_shared.schemas.vocabulary import Verdict


def test_rows_have_the_order_of_the_hits(analysis: ScreenAnalysis) -> None:
    rows = compound_rows(analysis.curves, dose_range_of(analysis.curves))
    hits = rank_compounds(analysis.curves)
    assert [(row.curve.compound, row.curve.cell_line) for row in rows] == [(h.compound, h.cell_line) for h in hits]
    assert [row.emax for row in rows] == [hit.emax for hit in hits]


def test_the_first_rows_are_drawn(analysis: ScreenAnalysis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compounds, "MAX_CURVES", 3)
    rows = compound_rows(analysis.curves, None)
    assert [row.is_drawn for row in rows] == [True] * 3 + [False] * (len(rows) - 3)
    assert len({row.key for row in rows}) == len(rows)


def located(
    curve: Curve, value: float | None, relation: Relation | None, low: float | None, high: float | None
) -> Curve:
    ec50 = curve.ec50.model_copy(update={"value": value, "relation": relation, "low": low, "high": high})
    return curve.model_copy(update={"ec50": ec50})


def test_potency_is_a_percentage_of_the_logarithmic_scale(analysis: ScreenAnalysis) -> None:
    curve = located(analysis.curves[0], 1.0, Relation.EQUAL, 0.1, 1000.0)
    (row,) = compound_rows([curve], (0.01, 100.0))
    assert row.potency is not None
    assert (row.potency.value, row.potency.low, row.potency.high) == (50.0, 25.0, 100.0)
    assert not row.potency.is_bound


def test_a_bound_is_open_on_its_side_and_sorts_beyond_its_dose(analysis: ScreenAnalysis) -> None:
    (row,) = compound_rows([located(analysis.curves[0], 100.0, Relation.ABOVE, 90.0, None)], (0.01, 100.0))
    assert row.potency is not None and row.potency.is_bound and row.potency.high is None
    assert row.sort_ec50 is not None and row.sort_ec50 > 100.0
    (row,) = compound_rows([located(analysis.curves[0], None, None, None, None)], (0.01, 100.0))
    assert (row.potency, row.sort_ec50) == (None, None)


def test_a_compound_counts_once_over_cell_lines(analysis: ScreenAnalysis) -> None:
    assert count_compounds(analysis.curves) == CompoundCounts(active=6, toxic=2, undetermined=1, inactive=3)
    first = analysis.curves[0]
    mixed = (first, first.model_copy(update={"cell_line": "VERO", "verdict": Verdict.TOXIC}))
    assert count_compounds(mixed) == CompoundCounts(active=1, toxic=0, undetermined=0, inactive=0)


@pytest.mark.parametrize(
    ("counts", "words"),
    [
        ((2, 1, 3), "2 look toxic, 1 is undetermined and 3 show no effect"),
        ((0, 0, 1), "1 shows no effect"),
        ((1, 2, 0), "1 looks toxic and 2 are undetermined"),
        ((0, 0, 0), ""),
    ],
)
def test_the_others_in_words(counts: tuple[int, int, int], words: str) -> None:
    toxic, undetermined, inactive = counts
    assert CompoundCounts(active=1, toxic=toxic, undetermined=undetermined, inactive=inactive).others == words


def test_the_dose_range_needs_two_doses(analysis: ScreenAnalysis) -> None:
    assert dose_range_of(analysis.curves) == (0.01, 31.25)
    points = tuple(point for point in analysis.curves[0].points if point.concentration == 0.05)
    assert dose_range_of([analysis.curves[0].model_copy(update={"points": points})]) is None


@pytest.mark.parametrize("verdict", Verdict)
def test_every_verdict_has_its_place_in_the_headline(analysis: ScreenAnalysis, verdict: Verdict) -> None:
    curve = analysis.curves[0].model_copy(update={"verdict": verdict})
    counts = count_compounds([curve])
    assert counts.total == 1
    assert counts.active == 1 or counts.others, "the verdict has no phrase in the headline"
