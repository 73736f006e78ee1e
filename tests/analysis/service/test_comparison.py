"""Two analyses side by side."""

from __future__ import annotations

import math

import pytest
from gandl_analysis.service.comparison import compare_analyses
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.answers import AnalysisReference
from gandl_shared.schemas.curve import Relation

from tests.analysis.example.screen import example_analysis
from tests.analysis.service.stack import Stack


def test_an_analysis_equals_itself(shared_stack: Stack) -> None:
    screen = shared_stack.first
    comparison = shared_stack.client.get(f"/screens/{screen}/compare/{screen}").json()
    assert (
        comparison["n_wells"],
        comparison["largest_difference"],
        comparison["n_curves"],
        comparison["same_verdict"],
    ) == (64, 0, 1, 1)
    assert comparison["pearson"] == pytest.approx(1)
    assert {well["difference"] for well in comparison["wells"]} == {0}
    assert comparison["curves"][0]["log2_ec50_ratio"] in (0, None)


def test_two_screens_are_matched_by_well_and_compound(shared_stack: Stack) -> None:
    first, second = shared_stack.first, shared_stack.second
    comparison = shared_stack.client.get(f"/screens/{first}/compare/{second}").json()
    assert (comparison["first"], comparison["second"]) == (
        {"screen": first, "version": 1},
        {"screen": second, "version": 1},
    )
    for well in comparison["wells"]:
        assert well["difference"] == pytest.approx(well["second"] - well["first"])
    verdicts = {(curve["compound"], curve["cell_line"]): curve["verdicts"] for curve in comparison["curves"]}
    assert len(verdicts) == 4
    assert None not in verdicts["X", "U2OS"]
    assert verdicts["X", "A549"][0] is None


def test_two_versions_of_one_screen(stack: Stack) -> None:
    stack.database.analyses.queue(stack.first, AnalysisParameters(whitening="none"))
    assert stack.runs().run()
    at = f"/screens/{stack.first}/compare/{stack.first}"
    comparison = stack.client.get(at, params={"version": 1, "other_version": 2}).json()
    assert (comparison["first"]["version"], comparison["second"]["version"]) == (1, 2)
    assert comparison["largest_difference"] > 0
    assert 0.5 < comparison["pearson"] <= 1
    assert all(math.isfinite(well["second"]) for well in comparison["wells"])


def test_a_side_without_results_is_a_conflict(shared_stack: Stack) -> None:
    at = f"/screens/{shared_stack.first}/compare"
    assert shared_stack.client.get(f"{at}/{shared_stack.waiting}").status_code == 409
    assert shared_stack.client.get(f"{at}/nope").status_code == 404


def test_an_ec50_says_whether_it_is_a_bound() -> None:
    analysis = example_analysis([])
    sides = [AnalysisReference(screen="a", version=version) for version in (1, 2)]
    compared = compare_analyses(analysis, analysis, first_id=sides[0], second_id=sides[1])
    relations = {(pair.compound, pair.cell_line): pair.ec50_relations for pair in compared.curves}
    assert relations == {(c.compound, c.cell_line): (c.ec50.relation,) * 2 for c in analysis.curves}
    assert {Relation.EQUAL, Relation.ABOVE} <= {first for first, _ in relations.values()}
