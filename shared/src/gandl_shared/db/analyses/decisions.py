"""The trail of decisions in the database. It only grows: a decision is taken back by another one."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, insert, select

from gandl_shared.db.analyses.repository import queue_embedded
from gandl_shared.db.analyses.trail import read_trail, standing_assessments
from gandl_shared.db.engine import Transactions, now
from gandl_shared.db.screens import read_record
from gandl_shared.db.tables import Analysis, Assessment
from gandl_shared.db.tables import Decision as DecisionRow
from gandl_shared.db.transitions import lock_screen
from gandl_shared.errors import Conflict
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.analysis.decisions import Decision, DecisionRequest
from gandl_shared.schemas.curve import CurveAssessment


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """A decision as it was stored, and the analysis that it queued."""

    decision: Decision
    analysis_id: int | None


class DecisionRepository:
    """The decisions about all screens. Every method is one transaction and raises NotFound for an unknown screen."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions

    def of_screen(self, screen_id: str) -> tuple[Decision, ...]:
        """Return the trail of a screen, the oldest decision first."""
        with self._transactions.read() as connection:
            read_record(connection, screen_id)
            return read_trail(connection, screen_id)

    def assessments(self, screen_id: str) -> tuple[CurveAssessment, ...]:
        """Return what people have set beside the curves of a screen and not withdrawn."""
        with self._transactions.read() as connection:
            read_record(connection, screen_id)
            return standing_assessments(read_trail(connection, screen_id))

    def record(
        self, screen_id: str, request: DecisionRequest, *, number: int, parameters: AnalysisParameters | None
    ) -> Recorded:
        """Store a decision as the `number` of its screen, and queue the analysis with these parameters, if any.

        Raises Conflict if another decision has this number already, or if the screen cannot be analysed.
        """
        with self._transactions.write() as connection:
            lock_screen(connection, screen_id)
            query = select(func.max(DecisionRow.number)).where(DecisionRow.screen_id == screen_id)
            if (connection.execute(query).scalar() or 0) + 1 != number:
                raise Conflict(f"another decision about screen '{screen_id}' was made meanwhile; look at it first")
            analysis_id, version = None, request.version
            if parameters is not None:
                analysis_id = queue_embedded(connection, screen_id, parameters)
                version = connection.execute(select(Analysis.version).where(Analysis.id == analysis_id)).scalar_one()
            values = {
                "screen_id": screen_id,
                "number": number,
                "kind": request.kind,
                "items": [item.model_dump(mode="json", exclude_none=True) for item in request.items],
                "reason": request.reason,
                "author": request.author,
                "version": version,
                "created_at": now(connection),
            }
            decision_id = connection.execute(
                insert(DecisionRow).values(**values).returning(DecisionRow.id)
            ).scalar_one()
            if request.curve is not None:
                assessment = request.curve.model_dump(mode="json") | {"decision_id": decision_id}
                connection.execute(insert(Assessment).values(**assessment))
            return Recorded(decision=read_trail(connection, screen_id)[-1], analysis_id=analysis_id)
