"""An invented screen with every kind of curve: to look at pages with before there are results, and to test them.

Nothing here is measured. Two cell lines, twelve compounds at six doses in four replicates, controls, a parked site,
sites that image QC objects to, a trace of position.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import fmean, stdev

import numpy as np
from gandl_analysis.pipeline.result import Provenance, ScreenAnalysis
from gandl_shared.models import Channel, ModelCard, Parity, TrainingRecord
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import (
    Curve,
    CurveDose,
    CurveEmax,
    CurveLocation,
    CurveModel,
    CurveParameter,
    CurvePoint,
    CurveWindow,
    OffAxis,
    OffAxisPoint,
    Relation,
)
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.quality import (
    CellLineProbes,
    ConfoundingProbe,
    FailedSite,
    GroupQuality,
    PlateImages,
    PositionEffect,
    Quality,
    UnseenPlates,
)
from gandl_shared.schemas.screen import ParkedSite, WellScore
from gandl_shared.schemas.vocabulary import Flag, Role, Verdict

LOST = (("HRCE-1", "C07"), ("VERO-2", "B04"))
DOSES = (0.01, 0.05, 0.25, 1.25, 6.25, 31.25)
_METHOD = "profile likelihood, 95 %"


@dataclass(frozen=True)
class Behaviour:
    """How an invented compound behaves: rescue from −1 to `top` at `ec50`, falling back at `loss`, off the axis."""

    name: str
    verdict: Verdict
    ec50: float | None = None
    slope: float = 1.4
    top: float = 0.9
    loss: float | None = None
    off_from: float | None = None
    relation: Relation = Relation.EQUAL
    flags: tuple[Flag, ...] = ()

    @property
    def model(self) -> CurveModel:
        """The model that would be chosen."""
        if self.ec50 is None:
            return CurveModel.CONSTANT
        return CurveModel.GAIN_LOSS if self.loss else CurveModel.HILL

    def efficacy(self, dose: float) -> float:
        """The efficacy at a dose in µM."""
        if self.ec50 is None:
            return -0.97
        gain = 1 / (1 + math.pow(self.ec50 / dose, self.slope))
        loss = 1 / (1 + math.pow(dose / self.loss, 3)) if self.loss else 1.0
        return -1 + (self.top + 1) * gain * loss


BEHAVIOURS = (
    Behaviour("Remdesivir", Verdict.ACTIVE, 0.12, 1.8, 0.96),
    Behaviour("GS-441524", Verdict.ACTIVE, 1.4, 1.2, 0.91),
    Behaviour("Aloxistatin", Verdict.ACTIVE, 0.031, 1.0, 0.72),
    Behaviour(
        "Bemcentinib",
        Verdict.ACTIVE_BIPHASIC,
        0.22,
        2.2,
        0.88,
        loss=9.0,
        off_from=6.25,
        flags=(Flag.BIPHASIC_TOXIC_DROP,),
    ),
    Behaviour(
        "Nelfinavir mesylate",
        Verdict.ACTIVE,
        40.0,
        1.6,
        0.8,
        relation=Relation.ABOVE,
        flags=(Flag.EC50_ABOVE_RANGE, Flag.TOP_NOT_REACHED),
    ),
    Behaviour(
        "Pacritinib",
        Verdict.ACTIVE,
        0.004,
        1.3,
        0.85,
        relation=Relation.BELOW,
        flags=(Flag.EC50_BELOW_RANGE, Flag.ACTIVE_AT_ALL_DOSES),
    ),
    Behaviour("Bortezomib", Verdict.TOXIC, off_from=0.05, flags=(Flag.INACTIVE, Flag.HIGH_OFF_PERTURBATION)),
    Behaviour("Puromycin", Verdict.TOXIC, off_from=1.25, flags=(Flag.INACTIVE, Flag.HIGH_OFF_PERTURBATION)),
    Behaviour("Famotidine", Verdict.INACTIVE, flags=(Flag.INACTIVE,)),
    Behaviour("Hydroxychloroquine sulfate", Verdict.INACTIVE, flags=(Flag.INACTIVE,)),
    Behaviour(
        "5-Ethynyl-2′-deoxyuridine (click reagent) & <i>friends</i>",
        Verdict.UNDETERMINED,
        3.1,
        0.4,
        0.1,
        flags=(Flag.LACK_OF_FIT, Flag.OUTLIERS_DOWNWEIGHTED, Flag.SLOPE_AT_BOUND),
    ),
    Behaviour("Arbidol", Verdict.INACTIVE, flags=(Flag.INACTIVE, Flag.LOW_REPLICATES)),
)


@dataclass(frozen=True)
class _Content:
    """What an invented well holds; `efficacy` None is a well without a score."""

    role: Role
    efficacy: float | None
    compound: str | None = None
    dose: float | None = None
    off: float = 0.0


def example_analysis(compounds: Sequence[str] | None = None, *, seed: int = 3) -> ScreenAnalysis:
    """The invented screen; `compounds` gives other names to the first ones."""
    names = {b.name: n for b, n in zip(BEHAVIOURS, compounds or (), strict=False)}
    behaviours = tuple(replace(b, name=names.get(b.name, b.name)) for b in BEHAVIOURS)
    rng = np.random.default_rng(seed)
    wells: list[WellScore] = []
    curves: list[Curve] = []
    for cell_line, noise in (("HRCE", 0.11), ("VERO", 0.2)):
        ours = tuple(_cell_line_wells(cell_line, behaviours, noise, rng))
        wells.extend(ours)
        curves.extend(_curve(b, cell_line, ours) for b in behaviours)
    parked = (
        ParkedSite(plate="HRCE-1", well="C07", site="2", error="truncated TIFF: 81,920 of 131,072 bytes"),
        ParkedSite(plate="HRCE-1", well="C07", site="1", error="truncated TIFF: 1,024 of 131,072 bytes"),
        ParkedSite(plate="VERO-2", well="B04", site="1", error="channel w3 is missing: VERO-2/B04_s1_w3.tif"),
    )
    quality = _quality(wells)
    return ScreenAnalysis(
        wells=tuple(wells), curves=tuple(curves), quality=quality, parked=parked, provenance=_provenance(wells)
    )


def _quality(wells: Sequence[WellScore]) -> Quality:
    return Quality(
        cell_lines={line: _group_quality([w for w in wells if w.cell_line == line]) for line in ("HRCE", "VERO")},
        plates={
            plate: _group_quality([w for w in wells if w.plate == plate])
            for plate in dict.fromkeys(w.plate for w in wells)
        },
        probes={"HRCE": _probes("HRCE-1", 0.002), "VERO": _probes("VERO-1", 0.4)},
        images=_images(wells),
    )


def _probes(plate: str, p_value: float) -> CellLineProbes:
    position = PositionEffect(
        plate=plate,
        rows={"A": -0.02, "B": 0.31},
        columns={"1": 0.05, "2": -0.04},
        row_p_value=p_value,
        column_p_value=0.6,
        row_p_adjusted=p_value,
        column_p_adjusted=0.8,
        residuals={"A01": 0.1},
    )
    return CellLineProbes(
        leakage=(ConfoundingProbe(what="plate", classes=4, n=32, accuracy=0.63, chance=0.25, p_value=p_value),),
        positions=(position,),
        unseen_plates=UnseenPlates(plates=4, z_prime=0.41, accuracy=0.96, roc_auc=1.0),
    )


def _images(wells: Sequence[WellScore]) -> dict[str, PlateImages]:
    failed = (
        FailedSite(well="A05", site="2", reasons=("blurred",), excluded=False),
        FailedSite(well="B09", site="1", reasons=("overexposed", "blurred"), excluded=True),
    )
    counts = {plate: 2 * sum(w.plate == plate for w in wells) for plate in dict.fromkeys(w.plate for w in wells)}
    return {
        plate: PlateImages(sites=n, focus_judged=True, failed=failed if plate == "HRCE-2" else ())
        for plate, n in counts.items()
    }


def _group_quality(wells: Sequence[WellScore]) -> GroupQuality:
    positive, negative = (
        [w.efficacy for w in wells if w.role == role and w.efficacy is not None]
        for role in (Role.POSITIVE, Role.NEGATIVE)
    )
    distance, spreads = fmean(positive) - fmean(negative), (stdev(positive), stdev(negative))
    z_prime = 1 - 3 * sum(spreads) / distance
    return GroupQuality(
        z_prime=z_prime,
        z_prime_robust=z_prime + 0.02,
        ssmd=distance / math.hypot(*spreads),
        v_factor=z_prime - 0.04,
        roc_auc=1.0,
        accuracy=0.981,
        n_positive=len(positive),
        n_negative=len(negative),
        grouped_by="plate",
        verdict="good",
        reasons=(f"Z′ {z_prime:.2f}",),
    )


def _cell_line_wells(
    cell_line: str, behaviours: Sequence[Behaviour], noise: float, rng: np.random.Generator
) -> Iterator[WellScore]:
    """Four plates of 96 wells: columns 1 and 12 hold controls, 2 to 10 the treatments, A11 nothing."""
    places = [f"{row}{column:02d}" for column in range(2, 11) for row in "ABCDEFGH"]
    for number in (1, 2, 3, 4):
        plate = f"{cell_line}-{number}"
        for row in "ABCDEFGH":
            yield _well(plate, f"{row}01", _Content(Role.POSITIVE, 1.0), noise, rng)
            yield _well(plate, f"{row}12", _Content(Role.NEGATIVE, -1.0), noise, rng)
        treatments = [(b, dose) for b in behaviours for dose in DOSES]
        for place, (behaviour, dose) in zip(places, treatments, strict=True):
            off = 1.1 if behaviour.off_from and dose >= behaviour.off_from else 0.0
            efficacy = None if (plate, place) in LOST else behaviour.efficacy(dose) - 0.1 * off
            yield _well(plate, place, _Content(Role.TREATMENT, efficacy, behaviour.name, dose, off), noise, rng)
        yield _well(plate, "A11", _Content(Role.EMPTY, None), noise, rng)


def _well(plate: str, well: str, held: _Content, noise: float, rng: np.random.Generator) -> WellScore:
    efficacy = None if held.efficacy is None else held.efficacy + noise * float(rng.normal())
    across = held.off * 6 + 0.7 * float(rng.normal())
    scored = efficacy is not None
    return WellScore(
        plate=plate,
        well=well,
        role=held.role,
        compound=held.compound,
        concentration_um=held.dose,
        cell_line=plate.partition("-")[0],
        on=None if efficacy is None else 2.4 * efficacy + 0.3,
        off=across if scored else None,
        efficacy=efficacy,
        off_distance=1 + abs(across) if scored else None,
        n_tiles=32 if scored else 0,
    )


def _curve(behaviour: Behaviour, cell_line: str, wells: Sequence[WellScore]) -> Curve:
    mine = [w for w in wells if w.compound == behaviour.name]
    active = behaviour.verdict in ("active", "active_biphasic")
    grid = np.geomspace(DOSES[0], DOSES[-1], 80)
    means = [fmean(w.efficacy for w in mine if w.concentration_um == d and w.efficacy is not None) for d in DOSES]
    return Curve(
        compound=behaviour.name,
        cell_line=cell_line,
        screen="example",
        model=behaviour.model,
        aicc={"constant": 61.2, "hill": 12.4 if behaviour.ec50 else 64.1, "gain_loss": 4.2 if behaviour.loss else None},
        params=_params(behaviour),
        ec50=_location(behaviour.ec50, behaviour.relation),
        loss_ec50=_location(behaviour.loss, "=") if behaviour.loss else None,
        crosses_zero_at=behaviour.ec50 * 1.1 if behaviour.ec50 and active else None,
        emax=CurveEmax(
            fitted=max(behaviour.efficacy(d) for d in DOSES),
            observed=max(means),
            at=DOSES[int(np.argmax(means))],
        ),
        auc=0.5 + fmean(means) / 2,
        p_value=1e-9 if active else 0.41,
        q_value=4e-9 if active else 0.55,
        lack_of_fit_p=0.004 if "lack_of_fit" in behaviour.flags else 0.44,
        n_doses=len(DOSES),
        n_wells=sum(w.efficacy is not None for w in mine),
        verdict=behaviour.verdict,
        flags=behaviour.flags,
        points=tuple(_point(w, number, behaviour) for number, w in enumerate(mine)),
        fitted=tuple((float(d), behaviour.efficacy(float(d))) for d in grid),
        off_axis=_off_axis(behaviour, mine),
        doses=tuple(_dose(d, mine) for d in DOSES),
        window=CurveWindow(low=0.22, high=6.25, fold=28.4, relation="=", limited_by="off_axis")
        if behaviour.loss
        else None,
    )


def _params(behaviour: Behaviour) -> Mapping[str, CurveParameter]:
    if behaviour.ec50 is None:
        return {"level": CurveParameter(estimate=-0.97, se=0.03, at_bound=False)}
    bound = "slope_at_bound" in behaviour.flags
    found = {
        "ec50": CurveParameter(estimate=behaviour.ec50, se=behaviour.ec50 * 0.09, at_bound=False),
        "slope": CurveParameter(estimate=behaviour.slope, se=None if bound else 0.2, at_bound=bound),
        "bottom": CurveParameter(estimate=-1.0, se=0.04, at_bound=False),
        "top": CurveParameter(estimate=behaviour.top, se=0.05, at_bound=False),
    }
    if behaviour.loss:
        found["loss_ec50"] = CurveParameter(estimate=behaviour.loss, se=1.1, at_bound=False)
        found["loss_slope"] = CurveParameter(estimate=3.0, se=0.6, at_bound=False)
    return found


def _location(value: float | None, relation: Relation) -> CurveLocation:
    if value is None:
        return CurveLocation(value=None, relation=None, low=None, high=None, unit="uM", method=_METHOD)
    shown = {Relation.EQUAL: value, Relation.BELOW: DOSES[0], Relation.ABOVE: DOSES[-1]}[relation]
    low = None if relation is Relation.BELOW else shown / 1.3
    high = None if relation is Relation.ABOVE else shown * 1.35
    return CurveLocation(value=shown, relation=relation, low=low, high=high, unit="uM", method=_METHOD)


def _point(well: WellScore, number: int, behaviour: Behaviour) -> CurvePoint:
    outlier = Flag.OUTLIERS_DOWNWEIGHTED in behaviour.flags and number == 3
    excluded = "no score: its sites were parked" if well.efficacy is None else None
    weight = 0.0 if excluded else 0.15 if outlier else 1.0
    efficacy = 0.95 if outlier else well.efficacy
    return CurvePoint(
        concentration=well.concentration_um,
        efficacy=efficacy,
        plate=well.plate,
        well=well.well,
        weight=weight,
        excluded=excluded,
    )


def _dose(dose: float, wells: Sequence[WellScore]) -> CurveDose:
    values = [w.efficacy for w in wells if w.concentration_um == dose and w.efficacy is not None]
    half = 1.96 * stdev(values) / math.sqrt(len(values))
    mean = fmean(values)
    return CurveDose(concentration=dose, mean=mean, low=mean - half, high=mean + half, n_wells=len(values))


def _off_axis(behaviour: Behaviour, wells: Sequence[WellScore]) -> OffAxis:
    points = tuple(
        OffAxisPoint(
            concentration=dose,
            distance=fmean(w.off_distance or 0.0 for w in wells if w.concentration_um == dose),
            n_wells=4,
        )
        for dose in DOSES
    )
    return OffAxis(departs_at=behaviour.off_from, limit=3.4, points=points)


def _provenance(wells: Sequence[WellScore]) -> Provenance:
    card = ModelCard(
        name="gandl-example-64",
        channels=tuple(
            Channel(name=f"w{k + 1}", stain=stain, low=100, high=9000)
            for k, stain in enumerate(("Hoechst", "ConA", "Phalloidin", "Syto14", "WGA"))
        ),
        size=64,
        downscale=2,
        pixel_size_um=0.65,
        tap="fc",
        parameters=2_140_161,
        training=TrainingRecord(
            data="an invented screen",
            licence="CC0-1.0",
            kimg=96.0,
            seed=1,
            command="gandl train images --platemap map.csv --out run --resolution 64",
            version="0.1.0",
            commit="0000000",
        ),
        parity=Parity(images=64, torch_max=2.1e-6, batch_max=8.4e-7, providers=("CPUExecutionProvider",)),
        metrics={"tile_accuracy": 0.981},
    )
    plates = tuple(dict.fromkeys(w.plate for w in wells))
    return Provenance(
        gandl_version="0.1.0",
        screen_name="Example screen",
        model_id="9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        model=card,
        parameters=AnalysisParameters(),
        limits={p: IntensityLimits(low=(112.0,) * 5, high=(8840.0, 7120.0, 9011.0, 6543.0, 8002.0)) for p in plates},
        plate_map="example.csv",
        n_sites=2 * len(wells),
        n_tiles=sum(w.n_tiles for w in wells),
        axis_hash="60303ae22b998861bce3b28f33eec1be758a213c86c93c076dbe9f558c11c752",
    )
