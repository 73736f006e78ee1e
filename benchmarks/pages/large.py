"""An invented analysis of a large screen, with every well, curve and band that a real one of the size has.

The wells are random numbers around curves of known form, and nothing is fitted: what is measured are the pages.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_analysis.pipeline.result import AnalysisProvenance, AxisScores, ScreenAnalysis
from gandl_shared.models import Channel, ModelCard, Parity, TrainingRecord
from gandl_shared.plates.well_names import well_name
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import (
    Curve,
    CurveDose,
    CurveEmax,
    CurveLocation,
    CurveModel,
    CurveParameter,
    CurvePoint,
    Relation,
)
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.quality import GroupQuality, Quality
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Flag, Role, Verdict

CELL_LINES = ("HRCE", "VERO")
DOSES = tuple(0.01 * 5.0**k for k in range(6))
_CONTROL_COLUMNS = {1: Role.POSITIVE, 2: Role.NEGATIVE}


@dataclass(frozen=True, kw_only=True)
class ScreenSize:
    """The size of a screen: its plates, the wells of each, and its compounds."""

    plates: int
    wells: int
    compounds: int = 320

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns of a plate."""
        return {96: (8, 12), 384: (16, 24), 1536: (32, 48)}[self.wells]

    @property
    def label(self) -> str:
        """The size for readers."""
        return f"{self.plates} × {self.wells:,} wells, {self.compounds} compounds"


def large_analysis(size: ScreenSize, seed: int = 0) -> ScreenAnalysis:
    """Return the analysis of a screen of that size: half of its plates for each of two cell lines."""
    rng = np.random.default_rng(seed)
    wells = tuple(_wells(size, rng))
    quality = {line: _quality() for line in CELL_LINES}
    plates = dict.fromkeys(well.plate for well in wells)
    return ScreenAnalysis(
        wells=wells,
        curves=tuple(curve for line in CELL_LINES for curve in _curves(size, line, wells)),
        quality=Quality(cell_lines=quality, plates={plate: _quality() for plate in plates}),
        parked=(),
        provenance=_provenance(wells),
        axes=(_c2(wells, rng),),
    )


def _wells(size: ScreenSize, rng: np.random.Generator) -> Iterator[WellScore]:
    rows, columns = size.shape
    treatments = dict.fromkeys(CELL_LINES, 0)
    for number in range(size.plates):
        line = CELL_LINES[number * 2 // size.plates]
        for row in range(1, rows + 1):
            for column in range(1, columns + 1):
                role = _CONTROL_COLUMNS.get(column, Role.TREATMENT)
                compound = dose = None
                if role is Role.TREATMENT:
                    index = treatments[line]
                    treatments[line] += 1
                    # All compounds come before the next dose, so that each has wells on a screen of any size.
                    compound = f"Compound {index % size.compounds:03d}"
                    dose = DOSES[index // size.compounds % len(DOSES)]
                mean = _efficacy(compound, dose) if compound and dose else 1.0 if role is Role.POSITIVE else -1.0
                yield WellScore(
                    plate=f"{line}-{number + 1}",
                    well=well_name(row, column),
                    role=role,
                    compound=compound,
                    concentration_um=dose,
                    cell_line=line,
                    on=float(mean * 3),
                    off=float(rng.normal()),
                    efficacy=float(mean + 0.15 * rng.normal()),
                    off_distance=float(abs(rng.normal()) + 1),
                    n_tiles=18,
                )


def _efficacy(compound: str, dose: float) -> float:
    number = int(compound.rsplit(" ", 1)[1])
    if number % 4 == 0:
        return -0.97
    return -1 + 1.9 / (1 + math.pow(0.02 * (1 + number % 50) / dose, 1.4))


def _curves(size: ScreenSize, line: str, wells: Sequence[WellScore]) -> Iterator[Curve]:
    groups: dict[str, list[WellScore]] = {}
    for well in wells:
        if well.compound and well.cell_line == line:
            groups.setdefault(well.compound, []).append(well)
    for compound, members in groups.items():
        yield _curve(compound, line, members)


def _curve(compound: str, line: str, wells: Sequence[WellScore]) -> Curve:
    number = int(compound.rsplit(" ", 1)[1])
    is_active = number % 4 != 0
    ec50 = 0.02 * (1 + number % 50)
    grid = np.geomspace(DOSES[0], DOSES[-1], 81).tolist()
    line_points = tuple((dose, _efficacy(compound, dose)) for dose in grid)
    return Curve(
        compound=compound,
        cell_line=line,
        screen=None,
        model=CurveModel.HILL if is_active else CurveModel.CONSTANT,
        aicc={CurveModel.CONSTANT: 60.0, CurveModel.HILL: 12.0, CurveModel.GAIN_LOSS: 14.0},
        params={"slope": CurveParameter(estimate=1.4, se=0.2, at_bound=number % 17 == 0)},
        ec50=CurveLocation(
            value=ec50 if is_active else None,
            relation=Relation.EQUAL if is_active else None,
            low=ec50 / 1.3 if is_active else None,
            high=ec50 * 1.3 if is_active else None,
            unit="uM",
            method="profile likelihood, 95 %",
        ),
        loss_ec50=None,
        crosses_zero_at=ec50 if is_active else None,
        emax=CurveEmax(fitted=0.9 if is_active else -0.97, observed=0.95, at=DOSES[-1]),
        auc=0.5,
        p_value=1e-6,
        q_value=0.001 * (1 + number % 80),
        lack_of_fit_p=(number % 100 + 1) / 101,
        n_doses=len({well.concentration_um for well in wells}),
        n_wells=len(wells),
        verdict=Verdict.ACTIVE if is_active else Verdict.INACTIVE,
        flags=(Flag.TOP_NOT_REACHED,) if number % 5 == 0 else (),
        points=tuple(
            CurvePoint(
                concentration=well.concentration_um,
                efficacy=well.efficacy,
                plate=well.plate,
                well=well.well,
                weight=1.0,
                excluded=None,
            )
            for well in wells
        ),
        fitted=line_points,
        doses=tuple(_dose(dose, wells) for dose in DOSES if any(well.concentration_um == dose for well in wells)),
        band=tuple((value - 0.1, value + 0.1) for _, value in line_points),
    )


def _dose(dose: float, wells: Sequence[WellScore]) -> CurveDose:
    values = [well.efficacy for well in wells if well.concentration_um == dose and well.efficacy is not None]
    mean = float(np.mean(values)) if values else 0.0
    return CurveDose(concentration=dose, mean=mean, low=mean - 0.1, high=mean + 0.1, n_wells=len(values))


def _quality() -> GroupQuality:
    return GroupQuality(
        z_prime=0.55,
        z_prime_robust=0.57,
        ssmd=9.4,
        v_factor=0.6,
        roc_auc=1.0,
        accuracy=0.99,
        n_positive=16,
        n_negative=16,
        grouped_by="plate",
        verdict="good",
        reasons=("Z′ 0.55",),
    )


def _c2(wells: Sequence[WellScore], rng: np.random.Generator) -> AxisScores:
    side = [1 if well.cell_line == CELL_LINES[0] else -1 for well in wells]
    on = tuple(float(s + 0.2 * rng.normal()) for s in side)
    return AxisScores(
        name="C2",
        cell_line=None,
        positive={"cell_line": (CELL_LINES[0],)},
        negative={"cell_line": (CELL_LINES[1],)},
        hash="c2",
        quality=_quality(),
        wells=tuple(range(len(wells))),
        side=tuple(side),
        on=on,
        scaled=on,
        off=tuple(float(x) for x in rng.normal(size=len(wells))),
        off_distance=tuple(float(abs(x)) for x in rng.normal(size=len(wells))),
    )


def _provenance(wells: Sequence[WellScore]) -> AnalysisProvenance:
    card = ModelCard(
        name="gandl-bench-64",
        channels=tuple(Channel(name=f"w{k}", stain="DNA", low=0, high=4095) for k in range(1, 6)),
        size=64,
        downscale=2,
        pixel_size_um=0.65,
        tap="fc",
        parameters=2_000_000,
        training=TrainingRecord(
            data="invented", licence="CC0-1.0", kimg=1.0, seed=1, command="-", version="0.1.0", commit="0000000"
        ),
        parity=Parity(images=1, torch_max=0.0, batch_max=0.0, providers=("CPUExecutionProvider",)),
    )
    limits = IntensityLimits(low=(0.0,) * 5, high=(4095.0,) * 5)
    return AnalysisProvenance(
        screen_name="a large invented screen",
        model_id="0" * 64,
        model=card,
        limits=dict.fromkeys({well.plate for well in wells}, limits),
        gandl_version="0.1.0",
        parameters=AnalysisParameters(),
        plate_map="0" * 64,
        n_sites=2 * len(wells),
        n_tiles=18 * len(wells),
        axis_hash="e2",
    )
