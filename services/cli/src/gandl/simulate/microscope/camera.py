"""The microscope: haze, blur, uneven illumination, background, shot and read noise, and the camera's integers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter, uniform_filter

from gandl.simulate.cells.morphology import Floats
from gandl.simulate.microscope.effects import WellEffects

HAZE = 0.12
"""The share of out-of-focus light."""
BACKGROUND = np.array([18, 26, 20, 30, 24], np.float32)
"""Photo-electrons per pixel without cells: medium and autofluorescence."""
READ_NOISE = 6.0
"""The standard deviation of the read noise, in photo-electrons."""
PEDESTAL = 100.0
"""The counts of a camera of 16 bits without light."""
COUNTS = {8: 0.075, 16: 8.0}
"""Counts per photo-electron by bit depth: the brightest nuclei just reach the highest count of 8 bits."""
_PEDESTAL_8 = 4.0

Image = NDArray[np.uint8] | NDArray[np.uint16]


def photograph(stains: Floats, effects: WellEffects, bits: int, rng: np.random.Generator) -> Image:
    """Return the camera counts [C, H, W], uint8 or uint16, of stains [C, H, W] in photo-electrons.

    The backgrounds of BACKGROUND are repeated beyond the fifth channel.
    """
    light = illumination(stains.shape[-1], effects, rng, channels=len(stains))
    offset = (np.resize(BACKGROUND, len(stains)) * effects.offset).astype(np.float32)[:, None, None]
    gain = effects.gain.astype(np.float32)[:, None, None]
    electrons = (gain * blurred(stains, effects.blur) + offset) * light
    # Shot noise is Gaussian with the variance of the Poisson distribution, together with the read noise. From the ten
    # electrons of the background on the two distributions look the same, and this one is ten times faster.
    noise = rng.standard_normal(electrons.shape, np.float32)
    electrons += noise * np.sqrt(electrons + np.float32(READ_NOISE**2))
    pedestal = PEDESTAL if bits == 16 else _PEDESTAL_8
    counts = np.clip(np.rint(electrons * np.float32(COUNTS[bits]) + np.float32(pedestal)), 0, 2**bits - 1)
    return np.asarray(counts, np.uint16) if bits == 16 else np.asarray(counts, np.uint8)


def blurred(stains: Floats, sigma: float) -> Floats:
    """Return the stains with an optical blur of `sigma` pixels and the haze of light from other planes."""
    # Three standard deviations contain 99.7 % of the blur; more would only cost time.
    sharp = gaussian_filter(stains, (0, sigma, sigma), truncate=3.0, mode="nearest")
    wide = uniform_filter(stains, (0, 31, 31), mode="nearest")
    return np.asarray((1 - HAZE) * sharp + HAZE * wide, np.float32)


def illumination(size: int, effects: WellEffects, rng: np.random.Generator, *, channels: int = 5) -> Floats:
    """Return the relative light [C, H, W], which falls with the square of the distance from the centre of the lamp."""
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    # Each channel has its own optical path, so its light is a little different.
    shift = 0.05 * rng.standard_normal((channels, 2)).astype(np.float32)
    strength = np.float32(effects.shading) * (1 + 0.2 * rng.standard_normal(channels).astype(np.float32))
    row = (axis[None, :] - np.float32(effects.lamp[0]) - shift[:, :1]) ** 2
    column = (axis[None, :] - np.float32(effects.lamp[1]) - shift[:, 1:]) ** 2
    fall = strength[:, None, None] * (row[:, :, None] + column[:, None, :]) / 2
    return np.asarray(1 - np.clip(fall, 0, 0.8), np.float32)
