"""Values of several screens in the order of time: control metrics of plates, and EC50s of compounds that repeat."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gandl_science.assay.controls.charts import (
    ControlLimits,
    SignificantRatio,
    individuals_limits,
    repeats_ratio,
    significant_range,
)
from gandl_shared.schemas.curve import Relation
from gandl_shared.schemas.screen import ScreenStatus
from gandl_shared.schemas.vocabulary import Role

from gandl_analysis.figures.light.chart import ChartValue
from gandl_analysis.pipeline.result import ScreenAnalysis


@dataclass(frozen=True, kw_only=True)
class PlateRecord:
    """One cell line of one plate: its metrics of controls, each None where it does not exist."""

    screen: str
    plate: str
    z_prime: float | None
    ssmd: float | None
    positive: float | None
    negative: float | None


@dataclass(frozen=True, kw_only=True)
class ScreenRecord:
    """What the charts need of one screen and cell line. `ec50_um` holds the EC50s that are estimates, not bounds."""

    screen: str
    name: str
    plates: tuple[PlateRecord, ...]
    ec50_um: Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Chart:
    """A chart, its limits, and the rule for readers where there are none."""

    title: str
    meaning: str
    values: tuple[ChartValue, ...]
    limits: ControlLimits | None


@dataclass(frozen=True, kw_only=True)
class RepeatedCompound:
    """A compound with EC50s from several screens, oldest first. `differs` says whether the extreme ones differ
    by more than chance, and is None where there is no minimum significant ratio."""

    compound: str
    ec50_um: tuple[float, ...]
    fold: float
    differs: bool | None


def screen_record(status: ScreenStatus, analysis: ScreenAnalysis, cell_line: str) -> ScreenRecord:
    """Return what the charts need of a cell line of a screen."""
    plates = dict.fromkeys(well.plate for well in analysis.wells if well.cell_line == cell_line)
    return ScreenRecord(
        screen=status.id,
        name=status.name,
        plates=tuple(_plate_record(status, analysis, plate, cell_line) for plate in plates),
        ec50_um={
            curve.compound: curve.ec50.value
            for curve in analysis.curves
            if curve.cell_line == cell_line and curve.ec50.relation is Relation.EQUAL and curve.ec50.value
        },
    )


def control_charts(records: Sequence[ScreenRecord], compound: str | None) -> list[Chart]:
    """Return the charts of screens in the order of time; those without any value are left out."""
    plates = [(record.name, plate) for record in records for plate in record.plates]
    charts = [
        _chart("Z′", "The screening window of each plate.", [(n, p.plate, p.z_prime) for n, p in plates]),
        _chart(
            "SSMD",
            "The strictly standardised mean difference of the controls.",
            [(n, p.plate, p.ssmd) for n, p in plates],
        ),
        _chart(
            "Mean of the positive controls",
            "In efficacy: 1 is the mean over all plates of the screen.",
            [(n, p.plate, p.positive) for n, p in plates],
        ),
        _chart(
            "Mean of the negative controls",
            "In efficacy: −1 is the mean over all plates of the screen.",
            [(n, p.plate, p.negative) for n, p in plates],
        ),
    ]
    if compound is not None:
        values = [(r.name, compound, r.ec50_um.get(compound)) for r in records]
        charts.append(_chart(f"EC50 of {compound} (µM)", "One value per screen; bounds are left out.", values))
    return [chart for chart in charts if chart.values]


def repeated_compounds(records: Sequence[ScreenRecord]) -> tuple[SignificantRatio | None, list[RepeatedCompound]]:
    """Return the minimum significant ratio of the compounds that several screens have an EC50 of, and these compounds,
    those that differ most first. With more than two values, the extreme ones are compared by Tukey's range."""
    names = dict.fromkeys(name for record in records for name in record.ec50_um)
    repeats = {name: tuple(r.ec50_um[name] for r in records if name in r.ec50_um) for name in names}
    repeats = {name: values for name, values in repeats.items() if len(values) > 1}
    ratio = repeats_ratio(list(repeats.values()))
    compounds = [
        RepeatedCompound(
            compound=name,
            ec50_um=values,
            fold=max(values) / min(values),
            differs=None if ratio is None else max(values) / min(values) > significant_range(ratio, len(values)),
        )
        for name, values in repeats.items()
    ]
    return ratio, sorted(compounds, key=lambda compound: -compound.fold)


def _plate_record(status: ScreenStatus, analysis: ScreenAnalysis, plate: str, cell_line: str) -> PlateRecord:
    quality = analysis.quality.plates.get(f"{plate} ({cell_line})") or analysis.quality.plates.get(plate)
    return PlateRecord(
        screen=status.id,
        plate=plate,
        z_prime=quality.z_prime if quality else None,
        ssmd=quality.ssmd if quality else None,
        positive=_mean(analysis, plate, cell_line, Role.POSITIVE),
        negative=_mean(analysis, plate, cell_line, Role.NEGATIVE),
    )


def _mean(analysis: ScreenAnalysis, plate: str, cell_line: str, role: Role) -> float | None:
    values = [
        well.efficacy
        for well in analysis.wells
        if well.plate == plate and well.cell_line == cell_line and well.role is role and well.efficacy is not None
    ]
    return fmean(values) if values else None


def _chart(title: str, meaning: str, values: Sequence[tuple[str, str, float | None]]) -> Chart:
    present = tuple(
        ChartValue(title=f"{screen}, {name}", group=screen, value=value)
        for screen, name, value in values
        if value is not None
    )
    limits = individuals_limits([value.value for value in present])
    return Chart(title=title, meaning=meaning, values=present, limits=limits)
