"""Fit curves: constant, Hill and gain-loss for every compound, the choice, its certainty and its tests.

Compounds that were tested at the same doses are solved together; missing wells only lower the weight of their dose.
What a curve means (verdict, flags) is in `curve_reading`.
"""

from __future__ import annotations

import zlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from gandl_analysis.stats.curve_intervals import (
    at_bound,
    bootstrap_means,
    profile_interval,
    reported,
    residual_variance,
    standard_errors,
)
from gandl_analysis.stats.curve_models import GAIN_LOSS, HILL, Floats, SearchSpace, Shape, log_dose, search_grid
from gandl_analysis.stats.curve_outliers import outlier_weights
from gandl_analysis.stats.curve_solver import DoseMeans, Solution, dose_means, solve
from gandl_analysis.stats.curve_tests import activity_p, anova_p, lack_of_fit_p, simulate_null

CONSTANT = "constant"
MIN_DOSES = 4
MIN_WELLS = 5
_SHAPES: Mapping[str, Shape] = {"hill": HILL, "gain_loss": GAIN_LOSS}
_THETA_NAMES: Mapping[str, tuple[str, ...]] = {
    "hill": ("ec50", "slope"),
    "gain_loss": ("ec50", "loss_ec50", "slope", "loss_slope"),
}


@dataclass(frozen=True)
class DoseResponseData:
    """Wells of one compound: concentration (n,), any unit, not negative, and response (n,), any unit; both finite."""

    concentration: Floats
    response: Floats

    def __post_init__(self) -> None:
        concentration, response = np.asarray(self.concentration, float), np.asarray(self.response, float)
        if concentration.shape != response.shape or concentration.ndim != 1 or concentration.size == 0:
            raise ValueError(f"one response a concentration, got {concentration.shape} and {response.shape}")
        if not (np.isfinite(concentration).all() and np.isfinite(response).all() and (concentration >= 0).all()):
            raise ValueError("concentrations are finite and not negative, responses are finite: leave others out")
        object.__setattr__(self, "concentration", concentration)
        object.__setattr__(self, "response", response)


@dataclass(frozen=True)
class CurveOptions:
    """`level` of intervals; slope bounds; `margin` decades EC50 may lie beyond the tested range; size of the simulated
    null; `n_bootstrap` resamples of each dose (0: none); `robust`: downweight gross outliers; `alpha` decides between
    constant and Hill by the activity test where AICc does not exist (n < 7)."""

    level: float = 0.95
    slope_low: float = 0.3
    slope_high: float = 8.0
    margin: float = 1.0
    n_null: int = 10_000
    n_bootstrap: int = 0
    robust: bool = True
    alpha: float = 0.05


@dataclass(frozen=True)
class Parameter:
    """An estimate; `se` is None where it cannot be had (at a bound, no degrees of freedom)."""

    estimate: float
    se: float | None
    at_bound: bool


@dataclass(frozen=True)
class Location:
    """A location parameter in the unit of the doses: estimate and profile interval, None on an open side."""

    estimate: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class DoseSummary:
    """A tested dose: weighted mean of its wells, their number, and the bootstrap interval of the mean if asked for."""

    concentration: float
    mean: float
    n_wells: int
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CurveFit:
    """What was found about one compound. `weights` (n,) are in the order of the data. `ec50` and `loss_ec50` are None
    where the chosen model has none. `p_value` is None where nothing can be tested; so are `anova_p`, `lack_of_fit_p`,
    and an AICc that does not exist. `bottom`, `top` of a Hill curve are its lower and upper plateau; of gain-loss the
    level it leaves (and falls back to) and the plateau it makes for."""

    model: str
    aicc: Mapping[str, float | None]
    params: Mapping[str, Parameter]
    ec50: Location | None
    loss_ec50: Location | None
    p_value: float | None
    anova_p: float | None
    lack_of_fit_p: float | None
    sigma: float | None
    rss: float
    doses: tuple[DoseSummary, ...]
    weights: Floats
    rising: bool = field(default=True)

    def predict(self, concentration: Floats) -> Floats:
        """The fitted response at concentrations (n,), not negative."""
        concentration = np.asarray(concentration, float)
        if self.model == CONSTANT:
            return np.full(concentration.shape, self.params["level"].estimate)
        shape = _SHAPES[self.model]
        values = [self.params[name].estimate for name in _THETA_NAMES[self.model]]
        theta = np.array([np.log10(v) if k in shape.locations else np.log(v) for k, v in enumerate(values)])
        left, right = self.params["bottom"].estimate, self.params["top"].estimate
        if self.model == "hill" and not self.rising:
            left, right = right, left
        return np.asarray(left + (right - left) * shape.basis(log_dose(concentration), theta))


def fit_curves(
    datasets: Sequence[DoseResponseData], options: CurveOptions, rng: np.random.Generator
) -> tuple[CurveFit, ...]:
    """One answer a dataset, in order. It depends on its data, the options and the generator's state, and not on the
    other datasets: one number is drawn, and every design and compound derives its own generator from it."""
    seed = int(rng.integers(2**63))
    groups: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for index, data in enumerate(datasets):
        groups[tuple(np.unique(data.concentration).tolist())].append(index)
    answers: dict[int, CurveFit] = {}
    for levels, members in groups.items():
        fits = _fit_group(np.array(levels), [datasets[i] for i in members], options, seed)
        answers.update(zip(members, fits, strict=True))
    return tuple(answers[i] for i in range(len(datasets)))


@dataclass(frozen=True)
class _Group:
    """B compounds over the same D doses: wells, present and weights (B, D, R), and where each well of a dataset went."""

    levels: Floats
    space: SearchSpace
    wells: Floats
    present: Floats
    weights: Floats
    slots: list[tuple[np.ndarray[tuple[int], np.dtype[np.intp]], np.ndarray[tuple[int], np.dtype[np.intp]]]]

    @property
    def counts(self) -> Floats:
        return np.asarray(self.present.sum(axis=2))

    @property
    def means(self) -> DoseMeans:
        return dose_means(log_dose(self.levels), self.wells, self.weights)


def _gather(levels: Floats, datasets: Sequence[DoseResponseData], options: CurveOptions) -> _Group:
    slots = []
    for data in datasets:
        dose = np.searchsorted(levels, data.concentration)
        replicate = np.array([np.count_nonzero(dose[:i] == d) for i, d in enumerate(dose)])
        slots.append((dose, replicate))
    shape = (len(datasets), levels.size, 1 + max(int(r.max()) for _, r in slots))
    wells, present = np.zeros(shape), np.zeros(shape)
    for b, (data, (dose, replicate)) in enumerate(zip(datasets, slots, strict=True)):
        wells[b, dose, replicate] = data.response
        present[b, dose, replicate] = 1.0
    positive = np.log10(levels[levels > 0]) if np.any(levels > 0) else np.zeros(1)
    space = SearchSpace(
        float(positive.min() - options.margin),
        float(positive.max() + options.margin),
        options.slope_low,
        options.slope_high,
    )
    weights = outlier_weights(log_dose(levels), wells, present, space) if options.robust else present
    return _Group(levels, space, wells, present, weights, slots)


def _fit_group(
    levels: Floats, datasets: Sequence[DoseResponseData], options: CurveOptions, seed: int
) -> list[CurveFit]:
    group = _gather(levels, datasets, options)
    data = group.means
    p_values = _activity(group, data, options, seed)
    solutions = _solutions(group, data)
    aicc = _aicc_table(group, data, solutions)
    models = [
        _choose({name: column[b] for name, column in aicc.items()}, p_values[b], "hill" in solutions, options)
        for b in range(len(datasets))
    ]
    bands = _bands(group, options, seed)
    anova = anova_p(data)
    answers: dict[int, CurveFit] = {}
    for model in dict.fromkeys(models):
        rows = np.array([b for b, m in enumerate(models) if m == model])
        chosen = _chosen(group, data, solutions, model, rows, options)
        for i, b in enumerate(rows):
            answers[int(b)] = CurveFit(
                model=model,
                aicc={name: _maybe(column[b]) for name, column in aicc.items()},
                p_value=p_values[b],
                anova_p=None if anova is None else float(anova[b]),
                doses=_summaries(group, data, bands, int(b)),
                weights=group.weights[b, group.slots[b][0], group.slots[b][1]],
                params=chosen.params[i],
                ec50=chosen.ec50[i],
                loss_ec50=chosen.loss_ec50[i],
                lack_of_fit_p=chosen.lack_of_fit_p[i],
                sigma=chosen.sigma[i],
                rss=chosen.rss[i],
                rising=chosen.rising[i],
            )
    return [answers[b] for b in range(len(datasets))]


def _derived(seed: int, *arrays: Floats) -> np.random.Generator:
    """A generator of its own for these arrays."""
    return np.random.default_rng([seed, zlib.crc32(b"".join(np.ascontiguousarray(a).tobytes() for a in arrays))])


def _bands(group: _Group, options: CurveOptions, seed: int) -> tuple[Floats, Floats]:
    """Bootstrap interval of each dose mean, (B, D) twice; NaN where not asked for."""
    low, high = np.full(group.counts.shape, np.nan), np.full(group.counts.shape, np.nan)
    if options.n_bootstrap:
        for b, (wells, weights) in enumerate(zip(group.wells, group.weights, strict=True)):
            generator = _derived(seed, wells)
            low[b], high[b] = bootstrap_means(wells, weights, options.n_bootstrap, options.level, generator)
    return low, high


def _activity(group: _Group, data: DoseMeans, options: CurveOptions, seed: int) -> list[float | None]:
    """Activity p-values; one simulated null for each pattern of wells per dose."""
    answers: list[float | None] = [None] * len(group.counts)
    patterns: dict[tuple[float, ...], list[int]] = defaultdict(list)
    for b, counts in enumerate(group.counts):
        patterns[tuple(counts.tolist())].append(b)
    for pattern, members in patterns.items():
        if group.levels.size < MIN_DOSES or sum(pattern) < MIN_WELLS:
            continue
        counts = np.array(pattern)
        null = simulate_null(data.x, counts, group.space, options.n_null, _derived(seed, data.x, counts))
        for b, p in zip(members, activity_p(null, data.take(np.array(members))), strict=True):
            answers[b] = float(p)
    return answers


def _solutions(group: _Group, data: DoseMeans) -> dict[str, Solution]:
    """Best curve of each shape this design can carry (for all its compounds; who may use it is decided with AICc)."""
    solutions = {}
    if group.levels.size >= MIN_DOSES and group.counts.sum(axis=1).max() >= MIN_WELLS:
        solutions["hill"] = solve(data, HILL, group.space, search_grid(HILL, group.space))
    if np.any(_may_lose(group)):
        solutions["gain_loss"] = solve(data, GAIN_LOSS, group.space, search_grid(GAIN_LOSS, group.space), n_starts=3)
    return solutions


def _may_lose(group: _Group) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    """Gain-loss needs six doses and two replicates (at the median dose)."""
    return np.asarray((np.median(group.counts, axis=1) >= 2) & (group.levels.size >= 6))


def _aicc_table(group: _Group, data: DoseMeans, solutions: Mapping[str, Solution]) -> dict[str, Floats]:
    """AICc (B,) of each model fitted; infinite where it does not exist (too few wells)."""
    table = {CONSTANT: _aicc(data, data.between, 1)}
    for name, solution in solutions.items():
        table[name] = _aicc(data, solution.misfit, _SHAPES[name].n_parameters)
    if "gain_loss" in table:
        table["gain_loss"] = np.where(_may_lose(group), table["gain_loss"], np.inf)
    if "hill" in table:
        table["hill"] = np.where(group.counts.sum(axis=1) >= MIN_WELLS, table["hill"], np.inf)
    return table


def _aicc(data: DoseMeans, misfit: Floats, n_parameters: int) -> Floats:
    """n ln(RSS / n) + 2k + 2k (k + 1) / (n - k - 1), k counts the residual variance (Hurvich and Tsai 1989)."""
    n, k = data.total_weight, n_parameters + 1
    floor = 1e-14 * (data.between + data.pure) + 1e-300
    spare = n - k - 1
    value = (
        n * np.log(np.maximum(misfit + data.pure, floor) / n) + 2 * k + 2 * k * (k + 1) / np.where(spare > 0, spare, 1)
    )
    return np.asarray(np.where(spare > 0, value, np.inf))


def _choose(aicc: Mapping[str, float], p_value: float | None, has_hill: bool, options: CurveOptions) -> str:
    """Least AICc; where the Hill curve has none (under seven wells) the activity test decides."""
    if has_hill and not np.isfinite(aicc["hill"]) and p_value is not None:
        return "hill" if p_value <= options.alpha else CONSTANT
    return min(aicc, key=lambda name: aicc[name])


@dataclass(frozen=True)
class _Chosen:
    """The chosen model of some rows, a list entry each."""

    params: list[dict[str, Parameter]]
    ec50: list[Location | None]
    loss_ec50: list[Location | None]
    lack_of_fit_p: list[float | None]
    sigma: list[float | None]
    rss: list[float]
    rising: list[bool]


def _chosen(
    group: _Group,
    data: DoseMeans,
    solutions: Mapping[str, Solution],
    model: str,
    rows: np.ndarray[tuple[int], np.dtype[np.intp]],
    options: CurveOptions,
) -> _Chosen:
    part = data.take(rows)
    if model == CONSTANT:
        return _chosen_constant(part)
    shape, whole = _SHAPES[model], solutions[model]
    best = Solution(whole.theta[rows], whole.bottom[rows], whole.top[rows], whole.misfit[rows])
    errors = standard_errors(part, shape, group.space, best)
    values, bounds = reported(shape, best.theta), at_bound(shape, group.space, best.theta)
    grid = search_grid(shape, group.space)
    ends = [profile_interval(part, shape, group.space, grid, best, k, options.level) for k in shape.locations]
    lack = lack_of_fit_p(part, best.misfit, shape.n_parameters)
    variance = residual_variance(part, best, shape.n_parameters)
    rising = best.top >= best.bottom
    flip = (model == "hill") & ~rising
    levels = np.stack([best.bottom, best.top], axis=1)
    level_errors = errors[:, shape.n_theta :]
    levels, level_errors = (np.where(flip[:, None], a[:, ::-1], a) for a in (levels, level_errors))
    return _Chosen(
        params=[
            {
                name: Parameter(float(values[i, k]), _maybe(errors[i, k]), bool(bounds[i, k]))
                for k, name in enumerate(_THETA_NAMES[model])
            }
            | {
                name: Parameter(float(levels[i, k]), _maybe(level_errors[i, k]), False)
                for k, name in enumerate(("bottom", "top"))
            }
            for i in range(len(rows))
        ],
        ec50=[_location(values[i, 0], ends[0], i) for i in range(len(rows))],
        loss_ec50=[_location(values[i, 1], ends[1], i) if model == "gain_loss" else None for i in range(len(rows))],
        lack_of_fit_p=[None if lack is None else float(lack[i]) for i in range(len(rows))],
        sigma=[_maybe(np.sqrt(v)) for v in variance],
        rss=[float(v) for v in best.misfit + part.pure],
        rising=[bool(v) for v in rising],
    )


def _chosen_constant(part: DoseMeans) -> _Chosen:
    n = len(part.pure)
    spare = part.total_weight - 1
    rss = part.between + part.pure
    variance = np.where(spare > 0.5, rss / np.where(spare > 0.5, spare, 1.0), np.nan)
    lack = lack_of_fit_p(part, part.between, 1)
    return _Chosen(
        params=[
            {"level": Parameter(float(m), _maybe(np.sqrt(v / w)), False)}
            for m, v, w in zip(part.grand_mean, variance, part.total_weight, strict=True)
        ],
        ec50=[None] * n,
        loss_ec50=[None] * n,
        lack_of_fit_p=[None if lack is None else float(lack[i]) for i in range(n)],
        sigma=[_maybe(np.sqrt(v)) for v in variance],
        rss=[float(v) for v in rss],
        rising=[True] * n,
    )


def _location(estimate: float, ends: tuple[Floats, Floats], row: int) -> Location:
    low, high = (_maybe(10.0 ** end[row]) for end in ends)
    return Location(float(estimate), low, high)


def _summaries(group: _Group, data: DoseMeans, bands: tuple[Floats, Floats], row: int) -> tuple[DoseSummary, ...]:
    return tuple(
        DoseSummary(float(c), float(data.mean[row, d]), int(group.counts[row, d]), *(_maybe(b[row, d]) for b in bands))
        for d, c in enumerate(group.levels)
    )


def _maybe(value: float) -> float | None:
    """None for NaN and infinities."""
    return float(value) if np.isfinite(value) else None
