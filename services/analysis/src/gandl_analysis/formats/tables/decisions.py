"""The trail of decisions of a screen as CSV."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gandl_shared.schemas.analysis.decisions import Decision

from gandl_analysis.formats.tables.csv_text import csv_text

DECISION_COLUMNS = (
    "screen",
    "number",
    "created_at",
    "author",
    "kind",
    "reason",
    "version",
    "level",
    "plate",
    "well",
    "site",
    "compound",
    "concentration_um",
    "cell_line",
    "verdict",
    "ec50_um",
)


def decisions_csv(decisions: Iterable[Decision]) -> str:
    """Return the trail of a screen with one row per decision and thing that it is about, oldest first."""
    return csv_text(DECISION_COLUMNS, decision_records(decisions))


def decision_records(decisions: Iterable[Decision]) -> Iterator[Mapping[str, object]]:
    """Yield a record of DECISION_COLUMNS for each decision and thing that it is about."""
    for decision in decisions:
        yield from _decision_records(decision)


def _decision_records(decision: Decision) -> Iterator[Mapping[str, object]]:
    fields = decision.model_dump(exclude={"items", "curve"})
    if decision.curve is not None:
        yield {**fields, "level": "curve", **decision.curve.model_dump()}
    for item in decision.items:
        yield {**fields, **item.model_dump()}
