"""Periodic noise patches, computed once per process, and small spots at points."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.ndimage import gaussian_filter

from gandl.simulate.cells.morphology import Floats, Numbers

PATCH = 512
_PATCH_SEED = 20261124


@lru_cache(maxsize=16)
def noise_patch(scale: float) -> Floats:
    """Return periodic Gaussian noise [512, 512] of zero mean and unit variance, band-limited around `scale` pixels.

    The seed is always the same. Fields differ by the place that they are cut from, so that a field needs no FFT of its
    own.
    """
    rng = np.random.default_rng([_PATCH_SEED, int(scale * 100)])
    frequency = np.hypot(np.fft.fftfreq(PATCH)[:, None], np.fft.rfftfreq(PATCH)[None, :]) * scale
    # The band vanishes at zero, so the mean stays zero, and has its maximum at one wave per π · scale pixels.
    band = frequency * np.exp(-((np.pi * frequency) ** 2) / 2)
    noise = np.fft.irfft2(np.fft.rfft2(rng.standard_normal((PATCH, PATCH))) * band, s=(PATCH, PATCH))
    return np.asarray(noise / noise.std(), np.float32)


def noise(scale: float, size: int, rng: np.random.Generator) -> Floats:
    """Return a random cut [size, size] of the noise patch of that scale, transposed at random."""
    patch = noise_patch(scale)
    rows = (np.arange(size) + rng.integers(PATCH)) % PATCH
    columns = (np.arange(size) + rng.integers(PATCH)) % PATCH
    cut = patch[np.ix_(rows, columns)]
    return np.ascontiguousarray(cut.T) if rng.random() < 0.5 else cut


def spots(x: Numbers, y: Numbers, height: Numbers, sigma: float, size: int) -> Floats:
    """Return an image [size, size] of Gaussian spots of these peak heights; points outside are dropped."""
    image = np.zeros((size, size), np.float32)
    column, row = np.rint(x).astype(np.int64), np.rint(y).astype(np.int64)
    inside = (column >= 0) & (column < size) & (row >= 0) & (row < size)
    np.add.at(image, (row[inside], column[inside]), height[inside].astype(np.float32))
    # A filtered unit impulse has the height 1 / (2π sigma²).
    peak = 2 * np.pi * sigma * sigma
    return np.asarray(gaussian_filter(image, sigma, truncate=3.0, mode="constant") * np.float32(peak))
