"""Reading the trail of decisions about a screen, and what stands after all of them."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from sqlalchemy import Connection, Row, select

from gandl_shared.db.screen_rows import iso_time
from gandl_shared.db.tables import Assessment
from gandl_shared.db.tables import Decision as DecisionRow
from gandl_shared.schemas.analysis import ExcludedItem, Exclusion
from gandl_shared.schemas.analysis.decisions import AssessedCurve, Decision, DecisionKind
from gandl_shared.schemas.curve import CurveAssessment


def read_trail(connection: Connection, screen_id: str) -> tuple[Decision, ...]:
    """Return the decisions about a screen with the assessments that belong to them, the oldest first."""
    columns = (Assessment.compound, Assessment.cell_line, Assessment.verdict, Assessment.ec50_um)
    joined = select(DecisionRow.__table__, *columns).outerjoin(Assessment, Assessment.decision_id == DecisionRow.id)
    rows = connection.execute(joined.where(DecisionRow.screen_id == screen_id).order_by(DecisionRow.number))
    return tuple(_decision(row) for row in rows)


def standing_exclusions(decisions: Iterable[Decision]) -> tuple[Exclusion, ...]:
    """Return what is excluded after all decisions of a trail, in the order in which it was excluded."""
    standing: dict[ExcludedItem, Exclusion] = {}
    for decision in decisions:
        for item in decision.items:
            standing.pop(item, None)
            if decision.kind is DecisionKind.EXCLUDE:
                standing[item] = exclusion_of(item, decision)
    return tuple(standing.values())


def exclusion_of(item: ExcludedItem, decision: Decision) -> Exclusion:
    """Return the exclusion of a thing by a decision."""
    fields = item.model_dump()
    return Exclusion(**fields, reason=decision.reason, author=decision.author, decision=decision.number)


def standing_assessments(decisions: Iterable[Decision]) -> tuple[CurveAssessment, ...]:
    """Return the newest assessment of each curve that was not withdrawn."""
    standing: dict[tuple[str, str], CurveAssessment] = {}
    for decision in decisions:
        curve = decision.curve
        if curve is None:
            continue
        standing.pop((curve.compound, curve.cell_line), None)
        if decision.kind is DecisionKind.ASSESS:
            standing[curve.compound, curve.cell_line] = CurveAssessment(
                **curve.model_dump(),
                screen=decision.screen,
                author=decision.author,
                reason=decision.reason,
                decision=decision.number,
                created_at=decision.created_at,
            )
    return tuple(standing.values())


def _decision(row: Row[Any]) -> Decision:
    is_assessment = row.compound is not None
    fields = {name: getattr(row, name) for name in AssessedCurve.model_fields}
    return Decision(
        screen=row.screen_id,
        number=row.number,
        kind=DecisionKind(row.kind),
        items=tuple(ExcludedItem.model_validate(item) for item in row._mapping["items"]),
        curve=AssessedCurve.model_validate(fields) if is_assessment else None,
        reason=row.reason,
        author=row.author,
        version=row.version,
        created_at=iso_time(row.created_at),
    )
