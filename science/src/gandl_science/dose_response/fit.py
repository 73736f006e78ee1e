"""Curve fitting: constant, Hill and gain-loss for every compound, the choice among them, its certainty and its tests.

Compounds with equally many doses are solved together. What a curve means (verdict, flags) is decided in
`interpretation`; the definitions are in docs/dose-response.md.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.designs import Design, designs
from gandl_science.dose_response.intervals.bootstrap import bootstrap_means
from gandl_science.dose_response.models import GAIN_LOSS, HILL
from gandl_science.dose_response.noise.generators import derive_generator
from gandl_science.dose_response.noise.replication import TestedGroup, replicate
from gandl_science.dose_response.noise.scatter import has_unequal_scatter
from gandl_science.dose_response.quantities.model_fits import ModelFit, ShapeMembers, fit_constants, fit_shapes
from gandl_science.dose_response.records.fit import SHAPES, CurveFit, DoseSummary, Replications
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.selection import (
    Evidence,
    aicc_table,
    choose_model,
    corrected_aic,
    surpasses_hill,
    visible_bells,
)
from gandl_science.dose_response.significance.compounds import CompoundActivity, compound_activity
from gandl_science.dose_response.significance.f_tests import anova_p
from gandl_science.dose_response.solver.curves import solve
from gandl_science.dose_response.solver.polish import Solution

_GAIN_LOSS_STARTS, _FINAL_STARTS = 3, 32
"""The polish of a gain-loss curve has several starts, because its grid is coarse and its misfit has several minima."""


def fit_curves(
    datasets: Sequence[DoseResponseData], options: CurveOptions, rng: np.random.Generator
) -> tuple[CurveFit, ...]:
    """Return one fit per dataset, in order.

    A fit depends on its data, the options and the generator, but (except for rounding) not on the other datasets: one
    number is drawn, from which every design and every compound derives a generator of its own.
    """
    # One draw, whatever the number of datasets, so that the caller's generator advances equally.
    seed = int(rng.integers(2**63))
    parts = [(members, _fit_design(design, options, seed)) for members, design in designs(datasets, options)]
    design_fits = [design_fit for _, design_fit in parts]
    fits: dict[int, CurveFit] = {}
    for (members, design_fit), model_fits in zip(parts, _fit_models(design_fits, options), strict=True):
        fits.update(zip(members, _curve_fits(design_fit, model_fits, options, seed), strict=True))
    return tuple(fits[i] for i in range(len(datasets)))


@dataclass(frozen=True, kw_only=True)
class _DesignFit:
    """What is computed of every compound of a design, up to the choice of its model."""

    design: Design
    solutions: Mapping[CurveModel, Solution]
    aicc: Mapping[CurveModel, Float]
    has_bell: Mask
    surpasses_hill: Mask
    activity: CompoundActivity
    groups: Sequence[TestedGroup]
    anova: Float
    bands: tuple[Float, Float]
    unequal_scatter: Mask
    models: Sequence[CurveModel] = ()

    def members(self, model: CurveModel) -> Index:
        """Return the compounds of a model."""
        return np.flatnonzero([own is model for own in self.models])


def _fit_design(design: Design, options: CurveOptions, seed: int) -> _DesignFit:
    """Return the solutions and tests of the compounds of a design, and which model each of them has."""
    solutions = _solutions(design)
    misfit = solutions[CurveModel.HILL].misfit if solutions else np.full(len(design.counts), np.nan)
    activity, groups = compound_activity(design, misfit, options, seed)
    design_fit = _DesignFit(
        design=design,
        solutions=solutions,
        aicc=aicc_table(design, solutions),
        has_bell=visible_bells(design, solutions, options.scale),
        surpasses_hill=surpasses_hill(design, solutions),
        activity=activity,
        groups=groups,
        anova=anova_p(design.data),
        bands=_bands(design, options, seed),
        unequal_scatter=has_unequal_scatter(design.wells, design.weights * design.prior, design.counts),
    )
    design_fit = replace(design_fit, models=_choose_models(design_fit, options))
    bells = design_fit.members(CurveModel.GAIN_LOSS)
    return _with_best_bells(design_fit, bells) if bells.size else design_fit


def _fit_models(design_fits: Sequence[_DesignFit], options: CurveOptions) -> list[dict[int, ModelFit]]:
    """Return the models of the compounds of each design, with their errors and intervals.

    Intervals are the slowest step, so they are computed for the chosen model only, and of all designs together.
    """
    results: list[dict[int, ModelFit]] = []
    for design_fit in design_fits:
        members = design_fit.members(CurveModel.CONSTANT)
        results.append(dict(zip(members.tolist(), fit_constants(design_fit.design, members), strict=True)))
    for model in SHAPES:
        parts = {
            i: ShapeMembers(design=part.design, best=part.solutions[model], members=part.members(model))
            for i, part in enumerate(design_fits)
            if part.members(model).size
        }
        for i, model_fits in zip(parts, fit_shapes(model, list(parts.values()), options), strict=True):
            results[i].update(zip(parts[i].members.tolist(), model_fits, strict=True))
    return results


def _curve_fits(
    design_fit: _DesignFit, model_fits: Mapping[int, ModelFit], options: CurveOptions, seed: int
) -> list[CurveFit]:
    """Return the fits of the compounds of a design, in order."""
    fits = [_curve_fit(design_fit, model, i, model_fits[i]) for i, model in enumerate(design_fit.models)]
    for compound, replications in _replications(design_fit, fits, options, seed).items():
        fits[compound] = replace(fits[compound], replications=replications)
    return fits


def _replications(
    design_fit: _DesignFit, fits: Sequence[CurveFit], options: CurveOptions, seed: int
) -> dict[int, Replications]:
    """Return what new experiments with the compounds that were tested would show."""
    design = design_fit.design
    results: dict[int, Replications] = {}
    for group in design_fit.groups if options.n_replications else ():
        compounds = group.batch.curves.tolist()
        replications = replicate(
            design,
            group,
            [fits[compound] for compound in compounds],
            options,
            # Another stream than that of the bootstrap of the same wells.
            lambda compound: derive_generator(seed + 1, _own_wells(design, compound)),
        )
        results.update(zip(compounds, replications, strict=True))
    return results


def _with_best_bells(design_fit: _DesignFit, bells: Index) -> _DesignFit:
    """Return the fit with the gain-loss curves of these compounds searched from many more starts.

    From three starts one bell in five is a local optimum, which decides no model but would be printed.
    """
    design, solution = design_fit.design, design_fit.solutions[CurveModel.GAIN_LOSS]
    data = design.data.take(bells)
    best = solve(data, GAIN_LOSS, design.space.take(bells), _FINAL_STARTS)
    better = best.misfit < solution.misfit[bells]
    merged = solution.replaced(bells[better], best.take(np.flatnonzero(better)))
    aicc = design_fit.aicc[CurveModel.GAIN_LOSS].copy()
    aicc[bells] = corrected_aic(data, merged.misfit[bells], GAIN_LOSS.n_parameters)
    return replace(
        design_fit,
        solutions={**design_fit.solutions, CurveModel.GAIN_LOSS: merged},
        aicc={**design_fit.aicc, CurveModel.GAIN_LOSS: aicc},
    )


def _choose_models(design_fit: _DesignFit, options: CurveOptions) -> list[CurveModel]:
    """Return the model of each compound."""
    aicc = {model: column.tolist() for model, column in design_fit.aicc.items()}
    columns = zip(
        design_fit.has_bell.tolist(),
        design_fit.surpasses_hill.tolist(),
        _numbers(design_fit.activity.p),
        _numbers(design_fit.activity.hill),
        strict=True,
    )
    return [
        choose_model(
            Evidence(
                aicc={model: column[compound] for model, column in aicc.items()},
                has_bell=has_bell,
                surpasses_hill=surpasses,
                p_value=p_value,
                hill_p=hill_p,
                only=options.model,
            ),
            alpha=options.alpha,
        )
        for compound, (has_bell, surpasses, p_value, hill_p) in enumerate(columns)
    ]


def _curve_fit(design_fit: _DesignFit, model: CurveModel, compound: int, model_fit: ModelFit) -> CurveFit:
    activity = design_fit.activity
    return CurveFit(
        model=model,
        aicc={name: _finite(column[compound]) for name, column in design_fit.aicc.items()},
        params=model_fit.params,
        ec50=model_fit.ec50,
        loss_ec50=model_fit.loss_ec50,
        p_value=_finite(activity.p[compound]),
        anova_p=_finite(design_fit.anova[compound]),
        lack_of_fit_p=model_fit.lack_of_fit_p,
        sigma=model_fit.sigma,
        rss=model_fit.rss,
        doses=_summaries(design_fit, compound),
        weights=design_fit.design.weights_of(compound),
        rising=model_fit.rising,
        has_unequal_scatter=bool(design_fit.unequal_scatter[compound]),
        assumes_equal_scatter=bool(activity.assumes_equal_scatter[compound]),
        equal_scatter_p=_finite(activity.equal_scatter[compound]),
        cautious_p=_finite(activity.cautious[compound]),
        has_many_outliers=bool(design_fit.design.has_many_outliers[compound]),
        is_confounded=bool(design_fit.design.is_confounded[compound]),
        covariance=model_fit.covariance,
        residual_df=model_fit.residual_df,
        slope_intervals=model_fit.slope_intervals,
        crossing=model_fit.crossing,
    )


def _own_wells(design: Design, compound: int) -> Float:
    """Return the wells of a compound without the padding of the design, which depends on other compounds."""
    return design.wells[compound, :, : int(design.counts[compound].max())]


def _bands(design: Design, options: CurveOptions, seed: int) -> tuple[Float, Float]:
    """Return the bootstrap interval of each dose mean, (B, D) twice; NaN where there is none."""
    low, high = np.full(design.counts.shape, np.nan), np.full(design.counts.shape, np.nan)
    weights, own_sizes = design.weights * design.prior, design.counts.max(axis=1).astype(int)
    for size in np.unique(own_sizes).tolist() if options.n_bootstrap else ():
        members = np.flatnonzero(own_sizes == size)
        generators = [derive_generator(seed, _own_wells(design, b)) for b in members.tolist()]
        own = (design.wells[members, :, :size], weights[members, :, :size])
        low[members], high[members] = bootstrap_means(*own, options.n_bootstrap, options.confidence, generators)
    return low, high


def _solutions(design: Design) -> dict[CurveModel, Solution]:
    """Return the best curves of each shape that some compound of the design allows (`aicc_table` says which)."""
    solutions = {}
    if np.any(design.allows_hill):
        solutions[CurveModel.HILL] = solve(design.data, HILL, design.space)
    if np.any(design.allows_gain_loss):
        solutions[CurveModel.GAIN_LOSS] = solve(design.data, GAIN_LOSS, design.space, _GAIN_LOSS_STARTS)
    return solutions


def _summaries(design_fit: _DesignFit, compound: int) -> tuple[DoseSummary, ...]:
    """Return the doses of a compound with their means."""
    design, (low, high) = design_fit.design, design_fit.bands
    weights = design.nominal[compound] if design.has_weights[compound] else [None] * design.levels.shape[1]
    # Lists, because the numbers of an array are slow one by one.
    columns = [values[compound].tolist() for values in (design.levels, design.data.mean, design.counts, low, high)]
    return tuple(
        DoseSummary(
            concentration=concentration,
            mean=mean,
            n_wells=int(n),
            low=_finite(a),
            high=_finite(b),
            weight=None if weight is None else float(weight),
        )
        for concentration, mean, n, a, b, weight in zip(*columns, weights, strict=True)
    )


def _finite(value: float) -> float | None:
    """Return the value as a float; None for NaN and infinities."""
    return float(value) if math.isfinite(value) else None


def _numbers(values: Float) -> list[float | None]:
    """Return the values as floats; None for NaN and infinities."""
    return [value if math.isfinite(value) else None for value in values.tolist()]
