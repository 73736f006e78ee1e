"""The invented screen with names that programs would run or misread, as the source of exports."""

from __future__ import annotations

from dataclasses import replace

from gandl_analysis.formats.exports.source import ExportChoice, ExportSource
from gandl_shared.errors import NotFound
from gandl_shared.store import Profiles

from tests.analysis.example.screen import example_analysis

FORMULA = '=HYPERLINK("http://example.org","x")'
AT_SIGN = "@SUM(1+9)*cmd|' /C calc'!A0"
MINUS = "-2+3"
EVERYTHING = ExportChoice()


def hostile_source() -> ExportSource:
    """Return the source; its first three compounds have the names above. It has no sites and no vectors."""
    return ExportSource(
        screen="s-1",
        version=3,
        address="http://gandl.example/sub",
        analysis=example_analysis([FORMULA, AT_SIGN, MINUS]),
        sites=tuple,
        profiles=_no_vectors,
    )


def with_structures(source: ExportSource, smiles: dict[str, str]) -> ExportSource:
    """Return the source with a column of SMILES for some compounds."""
    curves = tuple(
        curve.model_copy(update={"metadata": {"SMILES": smiles[curve.compound]}}) if curve.compound in smiles else curve
        for curve in source.analysis.curves
    )
    return replace(source, analysis=source.analysis.model_copy(update={"curves": curves}))


def _no_vectors() -> Profiles:
    raise NotFound("screen 's-1' has no vectors yet")
