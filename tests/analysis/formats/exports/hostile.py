"""The invented screen with names that programs would run or misread, as the source of exports."""

from __future__ import annotations

from dataclasses import replace

from gandl_analysis.formats.exports.source import ExportChoice, ExportSource
from gandl_analysis.pipeline.ranking import rank_compounds
from gandl_shared.errors import NotFound
from gandl_shared.schemas.analysis import ExcludedItem, ExclusionLevel
from gandl_shared.schemas.analysis.decisions import Decision, DecisionKind
from gandl_shared.store import Profiles

from tests.analysis.example.screen import example_analysis

FORMULA = '=HYPERLINK("http://example.org","x")'
AT_SIGN = "@SUM(1+9)*cmd|' /C calc'!A0"
MINUS = "-2+3"
EVERYTHING = ExportChoice()


def hostile_source() -> ExportSource:
    """Return the source; its first three compounds have the names above. It has no sites and no vectors."""
    analysis = example_analysis([FORMULA, AT_SIGN, MINUS])
    return ExportSource(
        screen="s-1",
        version=3,
        address="http://gandl.example/sub",
        analysis=analysis,
        sites=tuple,
        profiles=_no_vectors,
        hits=lambda: rank_compounds(analysis.curves),
        decisions=lambda: [_decision(n, name) for n, name in enumerate((FORMULA, AT_SIGN, MINUS), start=1)],
        report=lambda: "<html></html>",
        axes=lambda: {"E2-HRCE.npz": b"axis"},
        features=_no_features,
    )


def with_structures(source: ExportSource, smiles: dict[str, str]) -> ExportSource:
    """Return the source with a column of SMILES for some compounds."""
    curves = tuple(
        curve.model_copy(update={"metadata": {"SMILES": smiles[curve.compound]}}) if curve.compound in smiles else curve
        for curve in source.analysis.curves
    )
    return replace(source, analysis=source.analysis.model_copy(update={"curves": curves}))


def with_metadata(source: ExportSource, metadata: dict[str, str]) -> ExportSource:
    """Return the source with further columns of the plate map that its first well alone fills in."""
    first, *others = source.analysis.wells
    wells = (first.model_copy(update={"metadata": metadata}), *others)
    return replace(source, analysis=source.analysis.model_copy(update={"wells": wells}))


def _decision(number: int, name: str) -> Decision:
    return Decision(
        screen="s-1",
        number=number,
        kind=DecisionKind.EXCLUDE,
        items=(ExcludedItem(level=ExclusionLevel.DOSE, compound=name, concentration_um=1.0),),
        reason="a bubble",
        author="Ann",
        version=number,
        created_at="2026-01-01T00:00:00Z",
    )


def _no_features() -> bytes:
    raise NotFound("screen 's-1' has no document features.csv")


def _no_vectors() -> Profiles:
    raise NotFound("screen 's-1' has no vectors yet")
