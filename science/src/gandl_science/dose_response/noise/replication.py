"""What would be seen if the experiment were done again: new wells about the fitted curve, judged as the first ones.

The bootstrap draws residuals of wells (Efron and Tibshirani 1993, chapter 9), not wells within a dose: of two or three
replicates there are a handful of samples only. Residuals about the dose means, or about the curve where no dose has
replicates, are pooled and scaled so that their variance is the unbiased one; without that factor, sqrt(m / (m - 1)) of
m replicates, new wells would scatter too little. They are added to the fitted curve, because dose means would count
their own noise twice: an inert compound would be a hit again several times too often.

A new experiment is judged on the search grid, without a polish.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.dose_response.designs import Design
from gandl_science.dose_response.models import GAIN_LOSS, HILL, SearchSpace, Shape
from gandl_science.dose_response.results import CurveFit, CurveModel, Replications
from gandl_science.dose_response.selection import corrected_aic
from gandl_science.dose_response.significance.activity import activity_p
from gandl_science.dose_response.significance.null import ActivityNull
from gandl_science.dose_response.solver.grids import SpacingBatch, grid_batches, search_grids
from gandl_science.dose_response.solver.means import DoseMeans, explained, plateaus

_ROWS_PER_SLICE = 4096
"""New experiments that are judged at once: more do not fit into the cache of a core."""


def draw_wells(design: Design, compound: int, fit: CurveFit, n: int, rng: np.random.Generator) -> tuple[Float, Float]:
    """Return dose means (n, D) and pure sums of squares (n,) of new experiments with one compound."""
    data, counts = design.data, design.counts[compound].astype(int)
    fitted = fit.predict(design.levels[compound])
    pure_df = float(data.total_weight[compound]) - data.n_doses
    replicated = pure_df > 0.5
    residual = design.wells[compound] - (data.mean[compound] if replicated else fitted)[:, None]
    # Outliers are no part of the noise: the fit downweights them in every experiment.
    usable = (design.weights[compound] == 1) & (counts[:, None] > (1 if replicated else 0))
    pool = residual[usable] if usable.any() else np.zeros(1)
    variance = float(data.pure[compound]) / pure_df if replicated else (fit.sigma or 0.0) ** 2
    size = float(np.mean(pool**2))
    scaled = pool * np.sqrt(variance / size) if size > 0 else pool
    noise = scaled[rng.integers(scaled.size, size=(n, counts.size, int(counts.max())))]
    noise[:, np.arange(counts.max()) >= counts[:, None]] = 0.0
    mean = noise.sum(axis=2) / counts
    # Rounding makes the squares of equal wells negative.
    squares = np.maximum((noise**2).sum(axis=2) - counts * mean**2, 0.0)
    # A plate effect that was estimated costs degrees of freedom, so that fewer wells than were drawn count.
    spare = max(float(counts.sum()) - counts.size, 1.0)
    weight = data.weight[compound]
    return fitted + mean * np.sqrt(counts / weight), squares.sum(axis=1) * (max(pure_df, 0.0) / spare)


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
    wells: Sequence[tuple[Float, Float]],
    alpha: float,
) -> list[Replications]:
    """Return how new experiments with the compounds of a group would be judged.

    `fits` (S * M,) are their fits, `wells` (S * M,) the new experiments as `draw_wells` returns them, `alpha` the level
    at which a curve is chosen.
    """
    n, n_members = len(wells[0][1]), group.batch.members.shape[1]
    curves = np.arange(group.batch.n_curves).reshape(-1, n_members)
    results: dict[int, Replications] = {}
    for spacings, members in _slices(curves.shape, max(_ROWS_PER_SLICE // n, 1)):
        part = curves[spacings, members]
        compounds = part.ravel().tolist()
        rows = np.repeat(group.batch.curves[compounds], n)
        data = DoseMeans(
            # Doses relative to the search space, so that equal spacings have equal ones.
            np.repeat(group.batch.x[spacings], part.shape[1] * n, axis=0),
            design.data.weight[rows],
            np.concatenate([wells[i][0] for i in compounds]),
            np.concatenate([wells[i][1] for i in compounds]),
        )
        # Only a compound that was a bell is compared with bells, whose grid is large.
        bells = np.repeat([fits[i].model is CurveModel.GAIN_LOSS for i in compounds], n)
        own = np.arange(len(group.batch.x))[spacings]
        space = group.batch.space.take(np.repeat(own, part.shape[1] * n))
        judgement = _judge(data, space, group.null.take(own), np.flatnonzero(bells), alpha)
        low = group.batch.low.reshape(-1)
        for k, i in enumerate(compounds):
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


def _judge(data: DoseMeans, space: SearchSpace, null: ActivityNull, bells: Index, alpha: float) -> _Judgement:
    """Return the results of new experiments; those at the indices `bells` may be gain-loss curves."""
    theta, misfit = _grid_curves(data, space, HILL)
    result = activity_p(null, data, misfit)
    aicc = corrected_aic(data, misfit, HILL.n_parameters)
    flat_aicc = corrected_aic(data, data.between, 1)
    described = (result.hill <= alpha) | (aicc < flat_aicc)
    fitted, direction = _fitted(data, HILL, theta)
    location = theta[:, 0].copy()
    if bells.size:
        own = data.take(bells)
        bell_theta, bell_misfit = _grid_curves(own, space.take(bells), GAIN_LOSS)
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


def _grid_curves(data: DoseMeans, space: SearchSpace, shape: Shape) -> tuple[Float, Float]:
    """Return theta (N, P) of the best curves of the grid and their misfit (N,)."""
    theta, misfit = np.empty((len(data.pure), shape.n_theta)), np.empty(len(data.pure))
    for batch in grid_batches(shape, data.x, space, len(misfit)):
        rows, grids = batch.curves, search_grids(shape, batch)
        part = data.take(rows)
        gains = explained(part, grids.basis)
        best = gains.argmax(axis=1)
        own = np.arange(rows.size)
        theta[rows], misfit[rows] = grids.theta(own, best), part.between - gains[own, best]
    return theta, np.maximum(misfit, 0.0)


def _fitted(data: DoseMeans, shape: Shape, theta: Float) -> tuple[Float, Float]:
    """Return the curves (N, D) at the doses, and the signs (N,) of their amplitudes."""
    _, amplitude, residual = plateaus(data, shape.basis(data.x, theta))
    return data.mean - residual, np.sign(amplitude)
