"""The bootstrap interval of the mean of each dose, for many compounds at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from scipy.special import ndtri, stdtrit

from gandl_science.arrays import Float

MIN_BOOTSTRAP_WELLS = 3
"""The smallest number of wells per dose for which a bootstrap interval is given."""
_COMPOUNDS_PER_SLICE = 8
"""Compounds that are resampled at once: more do not fit into the cache of a core."""


def bootstrap_means(
    wells: Float, weights: Float, n_samples: int, confidence: float, generators: Sequence[np.random.Generator]
) -> tuple[Float, Float]:
    """Return the percentile interval (B, D), (B, D) of the weighted mean of each dose of wells (B, D, R).

    The wells of a dose are resampled. Every compound has a generator of its own. Wells come first along R, with weight
    0 after them. With m wells the spread of resampled means is too small by sqrt((m - 1) / m), and percentiles are
    those of a normal distribution, not of Student's with m - 1 degrees of freedom: the interval is widened about the
    mean by both factors (Hesterberg 2015, "expanded percentile"). Doses of fewer than three wells have NaN: an honest
    interval from two wells is 13 times as wide as their distance.
    """
    low, high = np.empty(wells.shape[:2]), np.empty(wells.shape[:2])
    for start in range(0, len(wells), _COMPOUNDS_PER_SLICE):
        part = slice(start, start + _COMPOUNDS_PER_SLICE)
        low[part], high[part] = _intervals(wells[part], weights[part], n_samples, confidence, generators[part])
    return low, high


def _intervals(
    wells: Float, weights: Float, n_samples: int, confidence: float, generators: Sequence[np.random.Generator]
) -> tuple[Float, Float]:
    counts = (weights > 0).sum(axis=2)
    tail = (1.0 - confidence) / 2
    df = np.maximum(counts - 1, 1)
    # The first factor corrects the variance of the bootstrap, the second its normal percentiles.
    widening = np.sqrt(counts / df) * stdtrit(df, tail) / ndtri(tail)
    means = _resampled_means(wells, weights, counts, n_samples, generators)
    centre = (weights * wells).sum(axis=2) / weights.sum(axis=2)
    ends = centre + (_quantiles(means, (tail, 1 - tail)) - centre) * widening
    low, high = np.where(counts >= MIN_BOOTSTRAP_WELLS, ends, np.nan)
    return low, high


def _resampled_means(
    wells: Float, weights: Float, counts: Float, n_samples: int, generators: Sequence[np.random.Generator]
) -> Float:
    """Return the weighted means (B, D, n_samples) of as many wells of each dose as it has."""
    n_compounds, n_doses, n_wells = wells.shape
    draws = np.empty((n_compounds, n_samples, n_doses, n_wells))
    for own, generator in zip(draws, generators, strict=True):
        generator.random(out=own)
    # The samples become the last axis, because operations on short axes are slow.
    places = np.ascontiguousarray(np.moveaxis(draws, 1, 3))
    places *= counts[:, :, None, None].astype(float)
    first = n_wells * np.arange(n_compounds * n_doses, dtype=np.int32).reshape(n_compounds, n_doses, 1, 1)
    # Integers of four bytes, because the conversion to them is several times as fast as to those of eight.
    draw = first + places.astype(np.int32)
    # A sample has as many wells as the dose; the rest of R is left out.
    is_drawn = (np.arange(n_wells) < counts[:, :, None])[:, :, :, None]
    sampled = wells.ravel()[draw] * is_drawn
    if np.all((weights == 1) | (weights == 0)):
        # Without outliers all weights are one, and need not be drawn.
        return np.asarray(sampled.sum(axis=2) / counts[:, :, None])
    own_weights = weights.ravel()[draw] * is_drawn
    return np.asarray((own_weights * sampled).sum(axis=2) / own_weights.sum(axis=2))


def _quantiles(values: Float, shares: tuple[float, float]) -> Float:
    """Return two quantiles (2, B, D) of values (B, D, n), which are sorted in place, by linear interpolation."""
    # numpy sorts faster than it partitions, and `np.quantile` partitions.
    values.sort(axis=2)
    places = np.array(shares) * (values.shape[2] - 1)
    before = np.floor(places).astype(int)
    low, high = values[:, :, before], values[:, :, np.minimum(before + 1, values.shape[2] - 1)]
    return np.asarray(np.moveaxis(low + (places - before) * (high - low), 2, 0))
