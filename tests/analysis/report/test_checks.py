"""The checks: short answers with their numbers, read from the quality of an analysis."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.checks import MAX_LISTED_EFFECTS, Check, CheckMark, checks_of
from gandl_shared.schemas.quality import CellLineProbes, ConfoundingProbe, Quality, ReplicateGroup, Replicates


def checks(analysis: ScreenAnalysis, probes: Mapping[str, Any]) -> tuple[Check, ...]:
    """The checks of HRCE with other fields of its probes. (`Any`: the fields have different types.)"""
    changed = analysis.quality.probes["HRCE"].model_copy(update=dict(probes))
    return checks_of(analysis.quality.model_copy(update={"probes": {"HRCE": changed}}), "HRCE")


def find(checks_to_search: tuple[Check, ...], question: str) -> Check:
    (check,) = [check for check in checks_to_search if check.question.startswith(question)]
    return check


def test_each_answer_gives_its_numbers(analysis: ScreenAnalysis) -> None:
    controls, plate, positions, unseen = checks_of(analysis.quality, "HRCE")
    assert (controls.question, controls.mark) == ("Are the controls separated?", CheckMark.FINE)
    assert controls.answer.startswith("good: Z′ 0.7")
    assert plate.answer == "yes: 63 % are assigned correctly, 25 % by chance, p = 0.002"
    assert plate.mark is CheckMark.ATTENTION and plate.advice
    assert positions.answer == "yes: rows of HRCE-1 (p = 0.002, B by +0.31)"
    assert unseen.answer == (
        "Z′ is 0.41 and 96 % of control tiles are on their side if the fit leaves out each of 4 plates in turn"
    )
    assert unseen.mark is CheckMark.FINE


def test_a_large_p_value_is_no_finding(analysis: ScreenAnalysis) -> None:
    _, plate, positions, _ = checks_of(analysis.quality, "VERO")
    assert (plate.mark, plate.advice) == (CheckMark.FINE, "")
    assert positions.answer == "no: the smallest adjusted p of 2 tests is 0.40"


def test_the_adjusted_p_of_a_position_decides(analysis: ScreenAnalysis) -> None:
    (effect,) = analysis.quality.probes["HRCE"].positions
    one_of_many = effect.model_copy(update={"row_p_adjusted": 0.08})
    check = find(checks(analysis, {"positions": (one_of_many,) * 20}), "Do rows")
    assert effect.row_p_value == 0.002
    assert (check.mark, check.answer) == (CheckMark.FINE, "no: the smallest adjusted p of 40 tests is 0.08")


def test_positions_that_cannot_be_tested_and_many_findings(analysis: ScreenAnalysis) -> None:
    (effect,) = analysis.quality.probes["HRCE"].positions
    untested = effect.model_copy(update={"row_p_adjusted": None, "column_p_adjusted": None})
    assert "cannot be tested" in find(checks(analysis, {"positions": (untested,)}), "Do rows").answer
    many = find(checks(analysis, {"positions": (effect,) * (MAX_LISTED_EFFECTS + 2)}), "Do rows")
    assert many.answer.count("rows of HRCE-1") == MAX_LISTED_EFFECTS and many.answer.endswith(" and 2 more")


def test_no_finding_is_no_all_clear_where_the_controls_are_confounded(analysis: ScreenAnalysis) -> None:
    probe = ConfoundingProbe(what="column", classes=4, n=32, accuracy=0.2, chance=0.25, p_value=0.6)
    answers = checks(analysis, {"leakage": (probe,), "confounded": ("column",)})
    assert find(answers, "Could an effect").answer == "yes: no column holds controls of both kinds"
    column = find(answers, "Do the images")
    assert (column.mark, column.answer.split(":")[0]) == (
        CheckMark.INFORMATION,
        "no, among controls of the same kind",
    )


def test_replicates_are_a_share_of_the_treatments(analysis: ScreenAnalysis) -> None:
    groups = tuple(
        ReplicateGroup(compound=f"c{k}", concentration_um=1.0, n_wells=4, map=1.0, p_value=p, q_value=p)
        for k, p in enumerate((0.001, 0.001, 0.001, 0.5))
    )
    replicates = Replicates(share_reproducible=0.75, groups=groups)
    answer = find(checks(analysis, {"replicates": replicates}), "Are replicates").answer
    assert answer == "yes for 75 % of 4 treatments (one compound at one dose each), q < 0.05"


@pytest.mark.parametrize(
    ("z_prime", "mark"), [(0.2, CheckMark.FINE), (-0.2, CheckMark.ATTENTION), (None, CheckMark.ATTENTION)]
)
def test_unseen_plates_are_fine_above_zero(analysis: ScreenAnalysis, z_prime: float | None, mark: CheckMark) -> None:
    unseen = analysis.quality.probes["HRCE"].unseen_plates
    assert unseen is not None
    changed = unseen.model_copy(update={"z_prime": z_prime, "accuracy": None})
    assert find(checks(analysis, {"unseen_plates": changed}), "Would a plate").mark is mark


def test_a_result_without_verdict_and_probes_has_no_checks() -> None:
    assert checks_of(Quality(cell_lines={}, plates={}, probes={"U2OS": CellLineProbes()}), "U2OS") == ()
