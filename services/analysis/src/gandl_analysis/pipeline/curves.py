"""Wells to curves: group by cell line and compound, fit, correct for multiplicity, read, and tell as `Curve`."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from gandl_science.dose_response.false_discovery import q_values
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.interpretation import (
    Reading,
    ReadingRules,
    Reported,
    ResponseScale,
    Window,
    read_curve,
    sampled,
)
from gandl_science.dose_response.onset import departure_dose, departure_limit
from gandl_science.dose_response.results import CurveFit, CurveOptions, DoseResponseData
from gandl_shared.errors import InvalidTable, Problem, raise_if
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
)
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Flag, Role, Verdict

_SAMPLES = 81
_ROUNDING = 1e-6


@dataclass(frozen=True)
class CurveWell:
    """One measured well. `row` is its row in the table it came from; `excluded` says why it must not be fitted.
    `emptied`: it holds no cells, so it is not fitted, but its `off_distance` counts."""

    compound: str
    cell_line: str
    concentration: float | None
    response: float | None
    plate: str | None = None
    well: str | None = None
    off_distance: float | None = None
    excluded: str | None = None
    row: int | None = None
    emptied: bool = False


@dataclass(frozen=True)
class CurveSettings:
    """How curves are fitted and read. `rules.scale` None: the unit of the response is unknown. `seed` decides the
    simulated null and the bootstrap, nothing else is random."""

    options: CurveOptions = field(default_factory=CurveOptions)
    rules: ReadingRules = field(default_factory=ReadingRules)
    unit: str = "uM"
    screen: str | None = None
    seed: int = 0


def efficacy_settings(
    *, seed: int = 0, alpha: float = 0.05, screen: str | None = None, n_bootstrap: int = 1000
) -> CurveSettings:
    """Settings for efficacies: negative controls at -1, positive at +1."""
    return CurveSettings(
        CurveOptions(n_bootstrap=n_bootstrap), ReadingRules(alpha, ResponseScale()), "uM", screen, seed
    )


def fit_compounds(
    wells: Sequence[WellScore],
    settings: CurveSettings | None = None,
    off_limits: Mapping[str, float | None] | None = None,
) -> list[Curve]:
    """One curve for each cell line and compound among the treatment wells, in order of first appearance.

    `off_limits`: the limit of the off-axis distance for each cell line; if absent, `off_limit` of the control wells.
    A well that is `excluded` is shown but not fitted.
    """
    treated = [
        CurveWell(
            w.compound or "unnamed",
            w.cell_line,
            w.concentration_um,
            w.efficacy,
            w.plate,
            w.well,
            w.off_distance,
            w.excluded,
            emptied=w.excluded is not None and w.off_distance is not None,
        )
        for w in wells
        if w.role is Role.TREATMENT
    ]
    if off_limits is None:
        off_limits = {line: off_limit(wells, line) for line in dict.fromkeys(w.cell_line for w in wells)}
    return fit_wells(treated, settings or efficacy_settings(), off_limits)


def off_limit(wells: Sequence[WellScore], cell_line: str) -> float | None:
    """The limit that the control wells of a cell line (both roles, held out) set; None where they are too few."""
    controls = [
        w.off_distance for w in wells if w.cell_line == cell_line and w.role.is_control and w.off_distance is not None
    ]
    return departure_limit(np.array(controls))


def fit_wells(
    wells: Sequence[CurveWell], settings: CurveSettings, off_limits: Mapping[str, float | None] | None = None
) -> list[Curve]:
    """One curve for each cell line and compound, in order of first appearance; q-values within a cell line.

    Wells without a finite response or a concentration are kept as excluded points. Raises InvalidTable for negative
    concentrations.
    """
    problems = [
        Problem(
            f"concentration {w.concentration:g} is negative; give zero or more", row=w.row, field="concentration_um"
        )
        for w in wells
        if w.concentration is not None and w.concentration < 0
    ]
    raise_if(problems, InvalidTable, "wells cannot be fitted")
    groups = _groups(wells)
    usable = [g for g in groups if g.used]
    rng = np.random.default_rng(settings.seed)
    fits = fit_curves([g.data for g in usable], settings.options, rng)
    curves = {
        id(g): _curve(g, f, q, settings, (off_limits or {}).get(g.cell_line))
        for g, f, q in zip(usable, fits, _q_by_cell_line(usable, fits), strict=True)
    }
    return [curves.get(id(g)) or _empty(g, settings) for g in groups]


def _same_doses(wells: Sequence[CurveWell]) -> list[CurveWell]:
    """Doses that differ by rounding alone (a millionth of them) are one: the lowest of those in a row."""
    given = sorted({w.concentration for w in wells if w.concentration is not None and math.isfinite(w.concentration)})
    meant: dict[float, float] = {}
    for dose, before in zip(given, [math.nan, *given], strict=False):
        meant[dose] = meant[before] if dose - before <= _ROUNDING * dose else dose
    return [w if w.concentration not in meant else replace(w, concentration=meant[w.concentration]) for w in wells]


@dataclass
class _Group:
    """The wells of one compound in one cell line; `used` are indices of those that are fitted."""

    compound: str
    cell_line: str
    wells: list[CurveWell] = field(default_factory=list)

    @property
    def reasons(self) -> list[str | None]:
        return [_why_not(w) for w in self.wells]

    @property
    def used(self) -> list[CurveWell]:
        return [w for w, reason in zip(self.wells, self.reasons, strict=True) if reason is None]

    @property
    def off_axis(self) -> list[CurveWell]:
        """Wells that say something off the axis: the fitted ones, and emptied ones where they are half or more of the
        wells of their dose (a single one is more likely an accident than an effect of the dose)."""
        emptied = Counter(w.concentration for w in self.wells if w.emptied)
        others = Counter(w.concentration for w in self.used)
        return [
            *self.used,
            *(w for w in self.wells if w.emptied and emptied[w.concentration] >= others[w.concentration]),
        ]

    @property
    def data(self) -> DoseResponseData:
        used = self.used
        return DoseResponseData(
            np.array([w.concentration for w in used], float), np.array([w.response for w in used], float)
        )


def _groups(wells: Iterable[CurveWell]) -> list[_Group]:
    groups: dict[tuple[str, str], _Group] = {}
    for well in wells:
        key = (well.cell_line, well.compound)
        groups.setdefault(key, _Group(well.compound, well.cell_line)).wells.append(well)
    for group in groups.values():
        group.wells = _same_doses(group.wells)
    return list(groups.values())


def _why_not(well: CurveWell) -> str | None:
    if well.excluded is not None:
        return well.excluded
    if well.concentration is None or not math.isfinite(well.concentration):
        return "no concentration"
    if well.response is None or not math.isfinite(well.response):
        return "no response"
    return None


def _q_by_cell_line(groups: Sequence[_Group], fits: Sequence[CurveFit]) -> list[float | None]:
    answers: list[float | None] = [None] * len(groups)
    for line in dict.fromkeys(g.cell_line for g in groups):
        members = [i for i, g in enumerate(groups) if g.cell_line == line]
        for i, q in zip(members, q_values([fits[i].p_value for i in members]), strict=True):
            answers[i] = q
    return answers


def _curve(group: _Group, fit: CurveFit, q: float | None, settings: CurveSettings, limit: float | None) -> Curve:
    off_axis = _off_axis(group.off_axis, limit)
    reading = read_curve(fit, q, settings.rules, off_axis.departs_at)
    method = f"profile likelihood, {100 * settings.options.level:g} %"
    x, y = sampled(fit, _SAMPLES)
    return Curve.model_validate(
        {
            "compound": group.compound,
            "cell_line": group.cell_line,
            "screen": settings.screen,
            "model": fit.model,
            "aicc": dict(fit.aicc),
            "params": {
                k: CurveParameter(estimate=p.estimate, se=p.se, at_bound=p.at_bound) for k, p in fit.params.items()
            },
            "ec50": _location(reading.ec50, settings.unit, method),
            "loss_ec50": None if reading.loss_ec50 is None else _location(reading.loss_ec50, settings.unit, method),
            "crosses_zero_at": reading.crosses_midpoint_at,
            "emax": CurveEmax(fitted=reading.emax_fitted, observed=reading.emax_observed, at=reading.emax_at),
            "auc": reading.auc,
            "p_value": fit.p_value,
            "q_value": q,
            "lack_of_fit_p": fit.lack_of_fit_p,
            "n_doses": len(fit.doses),
            "n_wells": len(group.used),
            "verdict": reading.verdict,
            "flags": (*reading.flags, *_emptied(group)),
            "points": _points(group, fit),
            "fitted": tuple(zip(x.tolist(), y.tolist(), strict=True)),
            "off_axis": off_axis,
            "doses": _doses(fit),
            "window": _window(reading),
        }
    )


def _emptied(group: _Group) -> tuple[Flag, ...]:
    return (Flag.EMPTY_WELLS,) if any(w.emptied for w in group.wells) else ()


def _doses(fit: CurveFit) -> tuple[CurveDose, ...]:
    return tuple(
        CurveDose(concentration=d.concentration, mean=d.mean, low=d.low, high=d.high, n_wells=d.n_wells)
        for d in fit.doses
    )


def _location(found: Reported, unit: str, method: str) -> dict[str, object]:
    return CurveLocation.model_validate(
        {
            "value": found.value,
            "relation": found.relation,
            "low": found.low,
            "high": found.high,
            "unit": unit,
            "method": method,
        }
    ).model_dump()


def _window(reading: Reading) -> CurveWindow | None:
    found: Window | None = reading.window
    if found is None:
        return None
    return CurveWindow.model_validate(
        {
            "low": found.low,
            "high": found.high,
            "fold": found.high / found.low,
            "relation": found.relation,
            "limited_by": found.limited_by,
        }
    )


def _points(group: _Group, fit: CurveFit | None) -> tuple[CurvePoint, ...]:
    weights = iter(() if fit is None else fit.weights.tolist())
    return tuple(
        CurvePoint(
            concentration=_finite(w.concentration),
            efficacy=_finite(w.response),
            plate=w.plate,
            well=w.well,
            weight=next(weights) if reason is None else 0.0,
            excluded=reason,
        )
        for w, reason in zip(group.wells, group.reasons, strict=True)
    )


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _off_axis(wells: Sequence[CurveWell], limit: float | None) -> OffAxis:
    seen = [
        (w.concentration, w.off_distance) for w in wells if w.concentration is not None and w.off_distance is not None
    ]
    if not seen:
        return OffAxis(limit=limit)
    doses = sorted({c for c, _ in seen})
    distances = [[d for c, d in seen if c == dose] for dose in doses]
    points = tuple(
        OffAxisPoint(concentration=c, distance=float(np.mean(d)), n_wells=len(d))
        for c, d in zip(doses, distances, strict=True)
    )
    departs = departure_dose(np.array(doses), np.array([p.distance for p in points]), limit)
    return OffAxis(departs_at=departs, limit=limit, points=points)


def _empty(group: _Group, settings: CurveSettings) -> Curve:
    """A compound none of whose wells can be fitted: an answer that says so."""
    nowhere = CurveLocation(
        value=None, relation=None, low=None, high=None, unit=settings.unit, method="no usable wells"
    )
    return Curve(
        compound=group.compound,
        cell_line=group.cell_line,
        screen=settings.screen,
        model=CurveModel.CONSTANT,
        aicc={},
        params={},
        ec50=nowhere,
        loss_ec50=None,
        crosses_zero_at=None,
        emax=CurveEmax(fitted=None, observed=None, at=None),
        auc=None,
        p_value=None,
        q_value=None,
        lack_of_fit_p=None,
        n_doses=0,
        n_wells=0,
        verdict=Verdict.UNDETERMINED,
        flags=(Flag.LOW_REPLICATES, Flag.FEW_DOSES, *_emptied(group)),
        points=_points(group, None),
        fitted=(),
    )
