"""Fit curves: constant, Hill and gain-loss for every compound, the choice, its certainty and its tests.

Compounds that were tested at the same doses are solved together. What a curve means (verdict, flags) is in
`curve_reading`, the definitions in docs/dose-response.md.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.dose_response.designs import Design, designs
from gandl_science.dose_response.intervals import ShapeFit, bootstrap_means, profile_interval, standard_errors
from gandl_science.dose_response.models import GAIN_LOSS, HILL, Floats, Mask, Rows, search_grid
from gandl_science.dose_response.results import (
    CONSTANT,
    SHAPES,
    THETA_NAMES,
    CurveFit,
    CurveOptions,
    DoseResponseData,
    DoseSummary,
    Location,
    Parameter,
)
from gandl_science.dose_response.significance import activity_p, anova_p, lack_of_fit_p, simulate_null
from gandl_science.dose_response.solver import DoseMeans, Solution, solve

__all__ = ["CurveFit", "CurveOptions", "DoseResponseData", "DoseSummary", "Location", "Parameter", "fit_curves"]

_GAIN_LOSS_STARTS = 3
_SMALLER_LIMB = 0.2
_RAGGED = 4
"""A design with missing wells is often one compound's alone: its null is simulated with so many times fewer curves."""


def fit_curves(
    datasets: Sequence[DoseResponseData], options: CurveOptions, rng: np.random.Generator
) -> tuple[CurveFit, ...]:
    """One answer a dataset, in order: a matter of its data, the options and the generator, not of the other datasets
    (but for rounding). One number is drawn; every design and compound derives its own generator from it."""
    seed = int(rng.integers(2**63))
    answers: dict[int, CurveFit] = {}
    for members, design in designs(datasets, options):
        answers.update(zip(members, _fit_design(design, options, seed), strict=True))
    return tuple(answers[i] for i in range(len(datasets)))


@dataclass(frozen=True)
class _Common:
    """What is known of every compound of a design before a model is chosen."""

    design: Design
    solutions: Mapping[str, Solution]
    aicc: Mapping[str, Floats]
    bells: Mask
    p_values: Sequence[float | None]
    anova: Floats
    bands: tuple[Floats, Floats]


@dataclass(frozen=True)
class _Outcome:
    """The chosen model of one compound."""

    params: Mapping[str, Parameter]
    lack_of_fit_p: float | None
    sigma: float | None
    rss: float
    ec50: Location | None = None
    loss_ec50: Location | None = None
    rising: bool = True


def _fit_design(design: Design, options: CurveOptions, seed: int) -> list[CurveFit]:
    solutions = _solutions(design)
    common = _Common(
        design,
        solutions,
        _aicc_table(design, solutions),
        _bells(design, solutions),
        _activity(design, solutions, options, seed),
        anova_p(design.data),
        _bands(design, options, seed),
    )
    models = [_choose(common, b, options) for b in range(len(design.counts))]
    answers: dict[int, CurveFit] = {}
    for model in dict.fromkeys(models):
        rows = np.flatnonzero([m == model for m in models])
        outcomes = _flat(design, rows) if model == CONSTANT else _curved(common, model, rows, options)
        answers.update({int(b): _answer(common, model, int(b), o) for b, o in zip(rows, outcomes, strict=True)})
    return [answers[b] for b in range(len(models))]


def _answer(common: _Common, model: str, row: int, outcome: _Outcome) -> CurveFit:
    return CurveFit(
        model=model,
        aicc={name: _maybe(column[row]) for name, column in common.aicc.items()},
        params=outcome.params,
        ec50=outcome.ec50,
        loss_ec50=outcome.loss_ec50,
        p_value=common.p_values[row],
        anova_p=_maybe(common.anova[row]),
        lack_of_fit_p=outcome.lack_of_fit_p,
        sigma=outcome.sigma,
        rss=outcome.rss,
        doses=_summaries(common, row),
        weights=common.design.weights_of(row),
        rising=outcome.rising,
    )


def _derived(seed: int, *arrays: Floats) -> np.random.Generator:
    """A generator of its own for these arrays."""
    return np.random.default_rng([seed, zlib.crc32(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays))])


def _bands(design: Design, options: CurveOptions, seed: int) -> tuple[Floats, Floats]:
    """Bootstrap interval of each dose mean, (B, D) twice; NaN where not asked for."""
    low, high = np.full(design.counts.shape, np.nan), np.full(design.counts.shape, np.nan)
    if options.n_bootstrap:
        for b, (wells, weights) in enumerate(zip(design.wells, design.weights, strict=True)):
            own = np.s_[:, : int(design.counts[b].max())]
            generator = _derived(seed, wells[own])
            low[b], high[b] = bootstrap_means(wells[own], weights[own], options.n_bootstrap, options.level, generator)
    return low, high


def _activity(
    design: Design, solutions: Mapping[str, Solution], options: CurveOptions, seed: int
) -> list[float | None]:
    """Activity p-values; one simulated null for each pattern of wells per dose."""
    answers: list[float | None] = [None] * len(design.counts)
    patterns: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for b in np.flatnonzero(design.can_rise):
        patterns[tuple(design.counts[b].tolist())].append(int(b))
    for pattern, members in patterns.items():
        counts = np.array(pattern)
        x = design.data.x
        n_null = options.n_null if np.ptp(counts[design.levels > 0]) == 0 else options.n_null // _RAGGED
        null = simulate_null(x, counts, design.space, n_null, _derived(seed, x, counts))
        rows = np.array(members)
        p_values = activity_p(null, design.data.take(rows), solutions["hill"].misfit[rows]).tolist()
        for member, p_value in zip(members, p_values, strict=True):
            answers[member] = p_value
    return answers


def _solutions(design: Design) -> dict[str, Solution]:
    """Best curve of each shape that some compound of the design can carry (who may use it: `_aicc_table`)."""
    solutions = {}
    if np.any(design.can_rise):
        solutions["hill"] = solve(design.data, HILL, design.space, search_grid(HILL, design.space))
    if np.any(design.can_fall_again):
        grid = search_grid(GAIN_LOSS, design.space)
        solutions["gain_loss"] = solve(design.data, GAIN_LOSS, design.space, grid, _GAIN_LOSS_STARTS)
    return solutions


def _aicc_table(design: Design, solutions: Mapping[str, Solution]) -> dict[str, Floats]:
    """AICc (B,) of each model; infinite where it does not exist or the design is too small for the model."""
    table = {CONSTANT: _aicc(design.data, design.data.between, 1)}
    allowed = {"hill": design.can_rise, "gain_loss": design.can_fall_again}
    for name, solution in solutions.items():
        value = _aicc(design.data, solution.misfit, SHAPES[name].n_parameters)
        table[name] = np.where(allowed[name], value, np.inf)
    return table


def _aicc(data: DoseMeans, misfit: Floats, n_parameters: int) -> Floats:
    """n ln(RSS / n) + 2k + 2k (k + 1) / (n - k - 1); k counts the residual variance (Hurvich and Tsai 1989)."""
    n, k = data.total_weight, n_parameters + 1
    floor = 1e-14 * (data.between + data.pure) + 1e-300
    spare = n - k - 1
    penalty = 2 * k + 2 * k * (k + 1) / np.where(spare > 0, spare, 1.0)
    return np.where(spare > 0, n * np.log(np.maximum(misfit + data.pure, floor) / n) + penalty, np.inf)


def _choose(common: _Common, row: int, options: CurveOptions) -> str:
    """Least AICc, gain-loss only where its bell is seen; where the Hill curve has no AICc (under seven wells) the
    activity test decides."""
    aicc, p_value = {name: float(column[row]) for name, column in common.aicc.items()}, common.p_values[row]
    if p_value is not None and not np.isfinite(aicc["hill"]):
        return "hill" if p_value <= options.alpha else CONSTANT
    if not common.bells[row]:
        aicc.pop("gain_loss", None)
    return min(aicc, key=lambda name: aicc[name])


def _bells(design: Design, solutions: Mapping[str, Solution]) -> Mask:
    """Compounds (B,) whose gain-loss curve shows both limbs within the tested doses: the smaller one is at least a
    fifth of the larger. Without that it is a Hill curve with a dent, and its two EC50s mean nothing."""
    if "gain_loss" not in solutions:
        return np.zeros(len(design.counts), dtype=bool)
    best = solutions["gain_loss"]
    h = GAIN_LOSS.basis(design.data.x, best.theta)
    peak = h.max(axis=1)
    limbs = np.sort(np.stack([peak - h[:, 0], peak - h[:, -1]]), axis=0)
    return np.asarray(limbs[0] >= _SMALLER_LIMB * limbs[1])


def _flat(design: Design, rows: Rows) -> list[_Outcome]:
    data = design.data.take(rows)
    spare = data.total_weight - 1
    rss = data.between + data.pure
    variance = np.where(spare > 0.5, rss / np.where(spare > 0.5, spare, 1.0), np.nan)
    lack = lack_of_fit_p(data, data.between, 1)
    errors = np.sqrt(variance / data.total_weight)
    return [
        _Outcome(
            params={"level": Parameter(float(data.grand_mean[i]), _maybe(errors[i]), False)},
            lack_of_fit_p=_maybe(lack[i]),
            sigma=_maybe(np.sqrt(variance[i])),
            rss=float(rss[i]),
        )
        for i in range(rows.size)
    ]


def _curved(common: _Common, model: str, rows: Rows, options: CurveOptions) -> list[_Outcome]:
    design, shape = common.design, SHAPES[model]
    fit = ShapeFit(design.data.take(rows), shape, design.space, common.solutions[model].take(rows))
    grid = search_grid(shape, design.space)
    ends = [profile_interval(fit, grid, k, options.level) for k in shape.locations]
    reported = fit.reported
    locations = [
        [
            Location(float(v), _maybe(10.0**a), _maybe(10.0**b))
            for v, a, b in zip(reported[:, k], low, high, strict=True)
        ]
        for k, (low, high) in enumerate(ends)
    ]
    params, sigma, rss = _parameters(fit, model), np.sqrt(fit.variance), fit.rss
    lack = lack_of_fit_p(fit.data, fit.best.misfit, shape.n_parameters)
    return [
        _Outcome(
            params=params[i],
            lack_of_fit_p=_maybe(lack[i]),
            sigma=_maybe(sigma[i]),
            rss=float(rss[i]),
            ec50=locations[0][i],
            loss_ec50=locations[1][i] if len(locations) > 1 else None,
            rising=bool(fit.best.top[i] >= fit.best.bottom[i]),
        )
        for i in range(rows.size)
    ]


def _parameters(fit: ShapeFit, model: str) -> list[dict[str, Parameter]]:
    """Parameters by name. A falling Hill curve has its lower plateau on the right: `bottom` is the lower one still."""
    n_theta = fit.shape.n_theta
    values = np.column_stack([fit.reported, fit.best.bottom, fit.best.top])
    errors = standard_errors(fit)
    bounds = np.column_stack([fit.at_bound, np.zeros((len(values), 2), dtype=bool)])
    if model == "hill":
        falling = values[:, n_theta] > values[:, n_theta + 1]
        for table in (values, errors):
            table[falling, n_theta:] = table[falling, n_theta:][:, ::-1]
    names = (*THETA_NAMES[model], "bottom", "top")
    return [
        {name: Parameter(float(v), _maybe(e), bool(b)) for name, v, e, b in zip(names, *row, strict=True)}
        for row in zip(values, errors, bounds, strict=True)
    ]


def _summaries(common: _Common, row: int) -> tuple[DoseSummary, ...]:
    design, (low, high) = common.design, common.bands
    columns = (design.levels, design.data.mean[row], design.counts[row], low[row], high[row])
    return tuple(
        DoseSummary(float(c), float(m), int(n), _maybe(a), _maybe(b)) for c, m, n, a, b in zip(*columns, strict=True)
    )


def _maybe(value: float) -> float | None:
    """None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None
