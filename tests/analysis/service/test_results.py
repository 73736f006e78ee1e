"""Stored analyses: which version is read, what is cached, and where a compound is looked up."""

from __future__ import annotations

import pytest
from gandl_analysis.formats import store_layout
from gandl_analysis.service.filters import HitFilter, WellFilter
from gandl_analysis.service.results import Results, finished_version
from gandl_shared.errors import Conflict, Invalid, NotFound
from gandl_shared.schemas.analysis import AnalysisParameters

from tests.analysis.service.stack import STRANGE_NAME, Stack


@pytest.fixture(scope="module")
def results(shared_stack: Stack) -> Results:
    return Results(shared_stack.database, shared_stack.store)


def test_the_newest_version_is_read_unless_one_is_named(stack: Stack) -> None:
    submitted = stack.client.post(f"/screens/{stack.first}/analyses", json={"whitening": "none"})
    assert submitted.status_code == 202
    results = Results(stack.database, stack.store)
    assert results.of(stack.first).version == 1
    with pytest.raises(Conflict, match="it has no results"):
        results.of(stack.first, 2)
    stack.work(stack.first)
    assert (results.of(stack.first).version, results.of(stack.first, 1).version) == (2, 1)
    assert results.of(stack.first).analysis != results.of(stack.first, 1).analysis


def test_a_screen_without_results_and_an_unknown_one(shared_stack: Stack) -> None:
    with pytest.raises(Conflict, match="queued; it has no results yet"):
        finished_version(shared_stack.database, shared_stack.waiting, None)
    with pytest.raises(NotFound):
        finished_version(shared_stack.database, "0123456789abcdef", None)
    with pytest.raises(NotFound):
        finished_version(shared_stack.database, shared_stack.first, 7)


def test_a_stored_analysis_is_read_once(shared_stack: Stack, results: Results) -> None:
    first = results.of(shared_stack.first).analysis
    assert results.of(shared_stack.first, 1).analysis is first
    assert first == store_layout.read_analysis(shared_stack.store, shared_stack.first, 1)


def test_wells_and_sites_of_the_same_selection_agree(shared_stack: Stack, results: Results) -> None:
    selection = WellFilter(cell_line="A549", role="positive_control")
    wells = results.wells(shared_stack.second, None, selection)
    sites = results.sites(shared_stack.second, None, selection)
    assert {site.well for site in sites} == {well.well for well in wells} != set()
    assert sum(site.n_tiles for site in sites) == sum(well.n_tiles for well in wells)


def test_a_filter_leaves_the_ranks(shared_stack: Stack, results: Results) -> None:
    every = results.hits(shared_stack.second, None, HitFilter())
    some = results.hits(shared_stack.second, None, HitFilter(cell_line="A549"))
    assert some == [hit for hit in every if hit.cell_line == "A549"] != []


def test_compounds_are_found_in_any_case_and_curves_by_their_exact_name(shared_stack: Stack, results: Results) -> None:
    page = results.compounds(None, None, "A/b", offset=0, limit=10)
    assert [(item.compound, item.screens) for item in page.items] == [(STRANGE_NAME, (shared_stack.second,))]
    assert len(results.curves(STRANGE_NAME)) == 2
    assert len(results.curves(STRANGE_NAME.replace("\u03bc", "\u00b5"))) == 2, "a micro sign is the letter mu"
    with pytest.raises(NotFound, match="no curve of 'x'"):
        results.curves("x")
    with pytest.raises(NotFound, match="and cell line 'A549'"):
        results.curves("X", shared_stack.first, "A549")


def test_a_version_needs_a_screen(results: Results) -> None:
    with pytest.raises(Invalid, match="name the screen"):
        results.curves("X", version=1)


def test_a_screen_that_is_deleted_while_it_is_searched_is_left_out(
    stack: Stack,
) -> None:
    results = Results(stack.database, stack.store)
    stack.store.delete(stack.second)
    assert {curve.screen for curve in results.curves("X")} == {stack.first}


def test_a_comparison_names_both_sides(stack: Stack) -> None:
    stack.client.post(f"/screens/{stack.first}/analyses", json=AnalysisParameters(seed=3).model_dump(mode="json"))
    stack.work(stack.first)
    comparison = Results(stack.database, stack.store).comparison(stack.first, 1, stack.first, None)
    assert (comparison.first.version, comparison.second.version) == (1, 2)
