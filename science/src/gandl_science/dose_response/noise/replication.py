"""What would be seen if the experiment were done again: new wells about the fitted curve, judged as the first ones.

The bootstrap draws residuals of wells (Efron and Tibshirani 1993, chapter 9), not wells within a dose: of two or three
replicates there are a handful of samples only. Residuals about the dose means, or about the curve where no dose has
replicates, are pooled and scaled so that their variance is the unbiased one; without that factor, sqrt(m / (m - 1)) of
m replicates, new wells would scatter too little. They are added to the fitted curve, because dose means would count
their own noise twice: an inert compound would be a hit again several times too often.

A new experiment is judged on the search grid, without a polish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.designs import Design
from gandl_science.dose_response.models import GAIN_LOSS, HILL, SearchSpace, Shape
from gandl_science.dose_response.quantities.stacks import predict_curves
from gandl_science.dose_response.records.fit import CurveFit, Replications
from gandl_science.dose_response.records.inputs import CurveOptions
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.selection import corrected_aic
from gandl_science.dose_response.significance.activity import activity_p
from gandl_science.dose_response.significance.null import ActivityNull
from gandl_science.dose_response.solver.grids import SearchGrids, SpacingBatch, grid_batches, search_grids
from gandl_science.dose_response.solver.means import DoseMeans, best_points, explained, plateaus, unit_basis

_ROWS_PER_SLICE = 4096
"""New experiments that are judged at once: more do not fit into the cache of a core."""


def draw_wells(
    design: Design, compounds: Index, fits: Sequence[CurveFit], n: int, generators: Sequence[np.random.Generator]
) -> tuple[Float, Float]:
    """Return dose means (C, n, D) and pure sums of squares (C, n) of n new experiments with each of C compounds.

    `compounds` (C,) are their indices in the design; every compound has a generator of its own.
    """
    data, counts = design.data.take(compounds), design.counts[compounds].astype(int)
    fitted = predict_curves(fits, design.levels[compounds])
    pure_df = data.total_weight - data.n_doses
    replicated = pure_df > 0.5
    residual = design.wells[compounds] - np.where(replicated[:, None], data.mean, fitted)[:, :, None]
    # Outliers are no part of the noise: the fit downweights them in every experiment.
    usable = (design.weights[compounds] == 1) & (counts > replicated[:, None])[:, :, None]
    sigma = np.array([fit.sigma or 0.0 for fit in fits])
    variance = np.where(replicated, data.pure / np.where(replicated, pure_df, 1.0), sigma**2)
    width = counts.max(axis=1)
    noise = np.zeros((compounds.size, n, counts.shape[1], int(width.max())))
    for i, rng in enumerate(generators):
        pool = residual[i][usable[i]] if usable[i].any() else np.zeros(1)
        size = float(np.mean(pool**2))
        scaled = pool * np.sqrt(variance[i] / size) if size > 0 else pool
        noise[i, :, :, : width[i]] = scaled[rng.integers(scaled.size, size=(n, counts.shape[1], width[i]))]
    noise *= np.arange(noise.shape[3]) < counts[:, None, :, None]
    fitted = _shrunk(fitted, data.weight, variance, fits)
    mean = noise.sum(axis=3) / counts[:, None, :]
    squares = (noise**2).sum(axis=3) - counts[:, None, :] * mean**2
    # A plate effect that was estimated costs degrees of freedom, so that fewer wells than were drawn count.
    spare = np.maximum(counts.sum(axis=1) - counts.shape[1], 1.0)
    scatter = np.sqrt(counts / data.weight)[:, None, :]
    return fitted[:, None, :] + mean * scatter, squares.sum(axis=2) * (np.maximum(pure_df, 0.0) / spare)[:, None]


def _shrunk(fitted: Float, weight: Float, variance: Float, fits: Sequence[CurveFit]) -> Float:
    """Return the curves (C, D) drawn toward their means so far that the size of the effect is not overestimated.

    The sum of squares that a curve of k parameters beyond the mean explains is too large by k variances on average,
    because the curve follows the noise; without them it is unbiased.
    """
    total = weight.sum(axis=1, keepdims=True)
    mean = (weight * fitted).sum(axis=1, keepdims=True) / total
    size = (weight * (fitted - mean) ** 2).sum(axis=1)
    extra = np.array([len(fit.params) - 1.0 for fit in fits])
    share = 1.0 - extra * variance / np.maximum(size, 1e-300)
    return np.asarray(mean + (fitted - mean) * np.sqrt(np.clip(share, 0.0, 1.0))[:, None])


@dataclass(frozen=True, kw_only=True)
class TestedGroup:
    """The compounds of a design that were tested together: `batch.members` (S, M) are their indices.

    `null` are the S nulls. `excess` (S * M,) is p after all checks of the noise, relative to p of the activity test
    alone.
    """

    batch: SpacingBatch
    null: ActivityNull
    excess: Float


def replicate(
    design: Design,
    group: TestedGroup,
    fits: Sequence[CurveFit],
    options: CurveOptions,
    generator_of: Callable[[int], np.random.Generator],
) -> list[Replications]:
    """Return how new experiments with the compounds of a group, whose fits (S * M,) these are, would be judged.

    `generator_of` returns the generator of a compound from its index in the design.
    """
    n, n_members = options.n_replications, group.batch.members.shape[1]
    curves = np.arange(group.batch.n_curves).reshape(-1, n_members)
    results: dict[int, Replications] = {}
    for batch in grid_batches(HILL, group.batch.x, group.batch.space, len(curves)):
        grids = search_grids(HILL, batch)
        for rows, members in _slices((len(batch.x), n_members), max(_ROWS_PER_SLICE // n, 1)):
            spacings = batch.curves[rows]
            places = curves[spacings][:, members]
            compounds = group.batch.curves[places.ravel()]
            own = [fits[i] for i in places.ravel().tolist()]
            generators = [generator_of(compound) for compound in compounds.tolist()]
            mean, pure = draw_wells(design, compounds, own, n, generators)
            each = np.repeat(np.arange(compounds.size), n)
            data = DoseMeans(
                # Doses relative to the search space, so that equal spacings have equal ones.
                group.batch.x[spacings][each // places.shape[1]],
                design.data.weight[compounds][each],
                mean.reshape(each.size, -1),
                pure.ravel(),
            )
            # Only a compound that was a bell is compared with bells, whose grid is large.
            bells = np.repeat([fit.model is CurveModel.GAIN_LOSS for fit in own], n)
            space = group.batch.space.take(spacings[each // places.shape[1]])
            judgement = _judge(
                data, n, space, grids.take(rows), group.null.take(spacings), np.flatnonzero(bells), options.alpha
            )
            low = group.batch.low.ravel()
            for k, i in enumerate(places.ravel().tolist()):
                results[i] = judgement.of(k, n, excess=float(group.excess[i]), low=float(low[i]))
    return [results[i] for i in range(len(fits))]


def _slices(shape: tuple[int, int], size: int) -> Iterator[tuple[slice, slice]]:
    """Yield slices of both axes that cut an array into parts of at most `size` entries, of whole rows if possible."""
    rows, columns = max(size // shape[1], 1), min(size, shape[1])
    for i in range(0, shape[0], rows):
        for j in range(0, shape[1], columns):
            yield slice(i, i + rows), slice(j, j + columns)


@dataclass(frozen=True, kw_only=True)
class _Judgement:
    """The results of N new experiments: see `Replications`. `location` (N,) is relative to the search space."""

    p: Float
    described: Mask
    change: Float
    location: Float
    base: Float
    base_error: Float
    lowest: Float
    highest: Float

    def of(self, position: int, n: int, *, excess: float, low: float) -> Replications:
        """Return the n results at a position in the slice, of a compound whose search begins at `low`."""
        part = slice(position * n, (position + 1) * n)
        return Replications(
            p=np.minimum(self.p[part] * excess, 1.0),
            is_described=self.described[part],
            change=self.change[part],
            ec50=10.0 ** (self.location[part] + low),
            base=self.base[part],
            base_error=self.base_error[part],
            lowest_mean=self.lowest[part],
            highest_mean=self.highest[part],
        )


def _judge(
    data: DoseMeans, n: int, space: SearchSpace, grids: SearchGrids, null: ActivityNull, bells: Index, alpha: float
) -> _Judgement:
    """Return the results of n new experiments with each compound; those at the indices `bells` may be gain-loss curves.

    `grids` are the search grids of the S spacings, and `null` their nulls; the rows of data are in their order.
    """
    theta, misfit = _hill_curves(data, grids, n)
    result = activity_p(null, data, misfit)
    aicc = corrected_aic(data, misfit, HILL.n_parameters)
    flat_aicc = corrected_aic(data, data.between, 1)
    described = (result.hill <= alpha) | (aicc < flat_aicc)
    fitted, direction = _fitted(data, HILL, theta)
    location = theta[:, 0].copy()
    if bells.size:
        own = data.take(bells)
        bell_theta, bell_misfit = _bells(own, space.take(bells))
        bell_aicc = corrected_aic(own, bell_misfit, GAIN_LOSS.n_parameters)
        better = bell_aicc < aicc[bells]
        described[bells] |= bell_aicc < flat_aicc[bells]
        bell_fitted, bell_direction = _fitted(own, GAIN_LOSS, bell_theta)
        fitted[bells[better]], direction[bells[better]] = bell_fitted[better], bell_direction[better]
        misfit[bells[better]], location[bells[better]] = bell_misfit[better], bell_theta[better, 0]
    base = fitted[:, 0]
    # A bell goes in the direction of its first limb.
    farthest = (direction[:, None] * fitted).argmax(axis=1)
    df = np.maximum(data.total_weight - HILL.n_parameters, 1.0)
    return _Judgement(
        p=result.p,
        described=described,
        change=fitted[np.arange(len(base)), farthest] - base,
        location=location,
        base=base,
        base_error=np.sqrt((misfit + data.pure) / df / data.weight[:, 0]),
        lowest=data.mean.min(axis=1),
        highest=data.mean.max(axis=1),
    )


def _hill_curves(data: DoseMeans, grids: SearchGrids, n: int) -> tuple[Float, Float]:
    """Return theta (S * M * n, P) of the best curves of the S grids, and their misfit (S * M * n,).

    There are n experiments with each of M compounds of a grid.
    """
    points, gain = np.empty(len(data.pure), dtype=int), np.empty(len(data.pure))
    per_grid = len(points) // len(grids.basis)
    deviation = data.mean - data.grand_mean[:, None]
    bases: dict[tuple[int, bytes], Float] = {}
    for start in range(0, len(points), n):
        # The experiments with one compound have the same weights, and so have most compounds.
        own, grid, weight = slice(start, start + n), start // per_grid, data.weight[start]
        key = (grid, weight.tobytes())
        if key not in bases:
            bases[key] = unit_basis(weight, grids.basis[grid])
        points[own], gain[own] = best_points(deviation[own], bases[key])
    theta = replace(grids, low=np.zeros((len(grids.basis), per_grid))).theta(np.arange(len(points)), points)
    return theta, np.maximum(data.between - gain, 0.0)


def _bells(data: DoseMeans, space: SearchSpace) -> tuple[Float, Float]:
    """Return theta (N, P) of the best gain-loss curves of a grid, and their misfit (N,)."""
    theta, misfit = np.empty((len(data.pure), GAIN_LOSS.n_theta)), np.empty(len(data.pure))
    for batch in grid_batches(GAIN_LOSS, data.x, space, len(misfit)):
        part, grids = data.take(batch.curves), search_grids(GAIN_LOSS, replace(batch, low=np.zeros_like(batch.low)))
        gains = explained(part, grids.basis)
        best, rows = gains.argmax(axis=1), np.arange(len(gains))
        theta[batch.curves] = grids.theta(rows, best)
        misfit[batch.curves] = np.maximum(part.between - gains[rows, best], 0.0)
    return theta, misfit


def _fitted(data: DoseMeans, shape: Shape, theta: Float) -> tuple[Float, Float]:
    """Return the curves (N, D) at the doses, and the signs (N,) of their amplitudes."""
    _, amplitude, residual = plateaus(data, shape.basis(data.x, theta))
    return data.mean - residual, np.sign(amplitude)
