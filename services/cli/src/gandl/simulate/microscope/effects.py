"""Nuisances of the plate, the well and the microscope: gains, position effects, illumination, focus."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Effects:
    """The sizes of the nuisances, as standard deviations of a log factor or as a fraction.

    `focus` is the standard deviation of the blur in pixels and `density` that of the log of the cell count. `edge` is
    the loss of cells in the outermost wells, and half of it is their gain in brightness. `gradient` is the change of
    brightness across a plate and `illumination` the loss of light in the corner of a field. `state` is the spread of
    the rescued and poisoned fractions between wells, as 1 / (1 + concentration) of a beta distribution, which keeps the
    mean exact.
    """

    plate_gain: float = 0.10
    plate_offset: float = 0.15
    well_gain: float = 0.08
    density: float = 0.10
    edge: float = 0.12
    gradient: float = 0.08
    illumination: float = 0.28
    focus: float = 0.22
    state: float = 0.004

    def scaled(self, factor: float) -> Effects:
        """Return all nuisances multiplied by `factor`; 0 turns them off."""
        return replace(self, **{name: value * factor for name, value in vars(self).items()})


@dataclass(frozen=True, kw_only=True)
class PlateEffects:
    """The nuisances of one plate: gain and background per channel, brightness slope over rows and columns, and the
    position of the lamp."""

    gain: Floats
    offset: Floats
    slope: tuple[float, float]
    lamp: tuple[float, float]


@dataclass(frozen=True, kw_only=True)
class WellEffects:
    """The nuisances of one well: gain and background per channel, factor of the cell density, blur in pixels, position
    of the lamp and loss of light in the corners."""

    gain: Floats
    offset: Floats
    density: float
    blur: float
    lamp: tuple[float, float]
    shading: float


def draw_plate(effects: Effects, rng: np.random.Generator, channels: int) -> PlateEffects:
    """Draw the nuisances that all wells of a plate share."""
    slope = effects.gradient * rng.uniform(-1, 1, 2)
    lamp = rng.uniform(-0.25, 0.25, 2)
    return PlateEffects(
        gain=np.exp(effects.plate_gain * rng.standard_normal(channels)),
        offset=np.exp(effects.plate_offset * rng.standard_normal(channels)),
        slope=(float(slope[0]), float(slope[1])),
        lamp=(float(lamp[0]), float(lamp[1])),
    )


def draw_well(
    effects: Effects, plate: PlateEffects, position: tuple[float, float], edge: float, rng: np.random.Generator
) -> WellEffects:
    """Draw the nuisances of a well at a row and a column in -1..1; `edge` is 1 in the outermost ring, 0 elsewhere."""
    position_gain = 1.0 + plate.slope[0] * position[0] + plate.slope[1] * position[1] + 0.5 * effects.edge * edge
    # Gains of one well are correlated, because pipetting and focus change all its channels together.
    common = rng.standard_normal()
    gain = np.exp(effects.well_gain * (0.6 * common + 0.8 * rng.standard_normal(len(plate.gain))))
    density = float(np.exp(effects.density * rng.standard_normal())) * (1.0 - effects.edge * edge)
    # The plane of focus may be above or below the cells, and both blur the image.
    blur = 0.8 + abs(effects.focus * float(rng.standard_normal()))
    return WellEffects(
        gain=plate.gain * gain * position_gain,
        offset=plate.offset,
        density=density,
        blur=blur,
        lamp=plate.lamp,
        shading=effects.illumination,
    )
