"""The cells and summaries of a plate."""

from __future__ import annotations

from statistics import fmean

from gandl_analysis.pages.overviews.plate_view import plate_view, plates_of, value_text
from gandl_analysis.report.quantities import quantities
from gandl_shared.plates.well_names import parse_well

from tests.analysis.example.screen import example_analysis

ANALYSIS = example_analysis()
BY_NAME = {quantity.name: quantity for quantity in quantities(ANALYSIS)}


def test_every_well_stands_at_its_position() -> None:
    view = plate_view(ANALYSIS, "HRCE-1", BY_NAME["efficacy"])
    assert view.shape == (8, 12)
    cells = {cell.name: cell for row in view.rows for cell in row.cells}
    assert len(cells) == 96
    for well in (well for well in ANALYSIS.wells if well.plate == "HRCE-1"):
        assert cells[well.well].well == well
        assert (cells[well.well].shade is None) == (well.efficacy is None)
    assert cells["C07"].mark == "×"
    assert cells["A11"].mark == "○"
    assert cells["B11"].well is None


def test_summaries_are_means_of_the_wells_with_a_value() -> None:
    view = plate_view(ANALYSIS, "HRCE-1", BY_NAME["efficacy"])
    numbers = {parse_well(w.well): w.efficacy for w in ANALYSIS.wells if w.plate == "HRCE-1" and w.efficacy is not None}
    outer = [v for (r, c), v in numbers.items() if r in (1, 8) or c in (1, 12)]
    assert (view.edge.n, view.inside.n) == (len(outer), len(numbers) - len(outer))
    assert view.edge.mean == value_text(fmean(outer))[: len(view.edge.mean)]
    assert view.rows[2].summary.n == sum(r == 3 for r, _ in numbers)
    assert view.columns[10].mean == "–"


def test_texts_are_numbered_and_have_no_mean() -> None:
    view = plate_view(ANALYSIS, "HRCE-1", BY_NAME["role"])
    assert not view.is_numeric
    assert view.rows[0].cells[0].mark == str(1 + BY_NAME["role"].categories.index("positive control"))
    assert plates_of(ANALYSIS)[:2] == ("HRCE-1", "HRCE-2")
