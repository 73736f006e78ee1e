"""Two analyses side by side: what has moved comes first, and an EC50 that is a bound stays one."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from fastapi import FastAPI
from fastapi.testclient import TestClient
from gandl_analysis.api.provider import Provider
from gandl_analysis.pages.forms import comparison
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.numbers import location
from gandl_analysis.service.comparison import compare_analyses
from gandl_shared.schemas.answers import AnalysisReference
from gandl_shared.schemas.curve import Relation

from tests.analysis.example.screen import example_analysis

EXAMPLE = example_analysis([])


def page_of(after: ScreenAnalysis) -> str:
    """Return the page that compares the invented screen with a later version of it."""
    sides = [AnalysisReference(screen="a", version=version) for version in (1, 2)]
    compared = compare_analyses(EXAMPLE, after, first_id=sides[0], second_id=sides[1])
    results: Any = SimpleNamespace(
        comparison=lambda *_: compared, of=lambda _, version: SimpleNamespace(analysis={1: EXAMPLE, 2: after}[version])
    )
    services = SimpleNamespace(submissions=SimpleNamespace(all=list), results=results)
    app = FastAPI()
    app.include_router(comparison.router(cast("Provider", lambda: services)))
    answer = TestClient(app).get("/ui/compare?first=a&second=a")
    assert answer.status_code == 200
    return answer.text


def test_an_ec50_that_is_a_bound_is_shown_as_one() -> None:
    bound = next(curve for curve in EXAMPLE.curves if curve.ec50.relation is Relation.ABOVE)
    row = page_of(EXAMPLE).partition(f">{bound.compound}</th><td>{bound.cell_line}<")[2].partition("</tr>")[0]
    assert row.count(f">{location(bound.ec50).replace('>', '&gt;')}<") == 2


def test_a_curve_whose_emax_has_moved_comes_before_those_that_did_not() -> None:
    last = EXAMPLE.curves[-1]
    emax = last.emax.model_copy(update={"fitted": (last.emax.fitted or 0.0) + 0.3})
    curves = (*EXAMPLE.curves[:-1], last.model_copy(update={"emax": emax}))
    first_row = page_of(EXAMPLE.model_copy(update={"curves": curves})).partition("<tbody>")[2].partition("</tr>")[0]
    assert f">{last.compound}</th><td>{last.cell_line}<" in first_row


def test_wells_that_differ_by_rounding_are_not_listed() -> None:
    wells = tuple(
        well if well.efficacy is None else well.model_copy(update={"efficacy": well.efficacy * (1 + 1e-13)})
        for well in EXAMPLE.wells
    )
    assert "Every well has the same efficacy in both." in page_of(EXAMPLE.model_copy(update={"wells": wells}))


def test_a_plate_that_was_left_out_is_one_line() -> None:
    plate = EXAMPLE.wells[0].plate
    wells = tuple(well.model_copy(update={"efficacy": None}) if well.plate == plate else well for well in EXAMPLE.wells)
    scored = sum(well.plate == plate and well.efficacy is not None for well in EXAMPLE.wells)
    rows = page_of(EXAMPLE.model_copy(update={"wells": wells})).partition("Wells that differ")[2].split("<tr>")[2:]
    assert len(rows) == 1
    assert f">all {scored} wells</td>" in rows[0]
    assert rows[0].index(">scored<") < rows[0].index(">not scored<")


def test_a_well_that_one_analysis_scores_stays_a_well() -> None:
    scored = [n for n, well in enumerate(EXAMPLE.wells) if well.efficacy is not None]
    wells = list(EXAMPLE.wells)
    wells[scored[0]] = wells[scored[0]].model_copy(update={"efficacy": None})
    rows = (
        page_of(EXAMPLE.model_copy(update={"wells": tuple(wells)})).partition("Wells that differ")[2].split("<tr>")[2:]
    )
    assert len(rows) == 1
    assert f"<td>{wells[scored[0]].well}</td>" in rows[0]
