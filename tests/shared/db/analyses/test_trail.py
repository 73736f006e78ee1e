"""What stands after all decisions of a trail."""

from __future__ import annotations

from gandl_shared.db import standing_assessments, standing_exclusions
from gandl_shared.schemas.analysis import ExcludedItem
from gandl_shared.schemas.analysis.decisions import AssessedCurve, Decision, DecisionKind
from gandl_shared.schemas.vocabulary import Verdict

PLATE = ExcludedItem(level="plate", plate="P1")
DOSE = ExcludedItem(level="dose", compound="X", concentration_um=3.0)


def entry(number: int, kind: DecisionKind, *items: ExcludedItem, curve: AssessedCurve | None = None) -> Decision:
    return Decision(
        screen="s",
        number=number,
        kind=kind,
        items=items,
        curve=curve,
        reason=f"reason {number}",
        author="Ann",
        version=number,
        created_at="2026-01-01T00:00:00Z",
    )


def test_what_was_brought_back_and_excluded_again_has_the_newest_reason() -> None:
    trail = [entry(1, DecisionKind.EXCLUDE, PLATE, DOSE), entry(2, DecisionKind.RESTORE, PLATE)]
    assert [(e.item, e.decision) for e in standing_exclusions(trail)] == [(DOSE, 1)]
    trail.append(entry(3, DecisionKind.EXCLUDE, PLATE))
    assert [(e.item, e.reason) for e in standing_exclusions(trail)] == [(DOSE, "reason 1"), (PLATE, "reason 3")]


def test_the_newest_assessment_of_a_curve_stands_until_it_is_withdrawn() -> None:
    curve = AssessedCurve(compound="X", cell_line="U2OS", verdict=Verdict.TOXIC)
    better = AssessedCurve(compound="X", cell_line="U2OS", ec50_um=4.0)
    none = AssessedCurve(compound="X", cell_line="U2OS")
    trail = [entry(1, DecisionKind.ASSESS, curve=curve), entry(2, DecisionKind.ASSESS, curve=better)]
    assert [(a.verdict, a.ec50_um, a.decision) for a in standing_assessments(trail)] == [(None, 4.0, 2)]
    assert standing_assessments([*trail, entry(3, DecisionKind.WITHDRAW, curve=none)]) == ()
