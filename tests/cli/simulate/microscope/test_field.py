"""The truth of a simulated field against a linear score of its pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from gandl.simulate import CELL_LINES, Effects, WellState
from gandl.simulate.cells.pharmacology import HEALTHY_WELL, INFECTED_WELL
from gandl.simulate.microscope.camera import PEDESTAL, Image
from gandl.simulate.microscope.effects import draw_plate, draw_well
from gandl.simulate.microscope.field import draw_empty, draw_field
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from tests.cli.simulate.microscope.still import still

Array = NDArray[np.float64]


@dataclass(frozen=True)
class Axis:
    """A linear discriminant between tiles of control wells; wells are scored by the mean of their tiles."""

    weights: Array
    centre: Array
    whiten: Array
    low: float
    high: float

    @classmethod
    def fit(cls, positive: Array, negative: Array) -> Axis:
        """From tiles [wells, tiles, features] of either class."""
        a, b = positive.reshape(-1, positive.shape[-1]), negative.reshape(-1, negative.shape[-1])
        covariance = np.cov(np.concatenate([a - a.mean(0), b - b.mean(0)]).T)
        covariance += 0.05 * np.diag(np.diag(covariance))
        weights = np.linalg.solve(covariance, a.mean(0) - b.mean(0))
        centre = (a.mean(0) + b.mean(0)) / 2
        whiten = np.linalg.inv(np.linalg.cholesky(covariance)).T
        return cls(weights, centre, whiten, float((b @ weights).mean()), float((a @ weights).mean()))

    def efficacy(self, tiles: Array) -> Array:
        return -1 + 2 * ((tiles @ self.weights).mean(1) - self.low) / (self.high - self.low)

    def off(self, tiles: Array) -> Array:
        z = ((tiles - self.centre) @ self.whiten).mean(1)
        u = np.linalg.solve(self.whiten, self.weights)
        u /= np.linalg.norm(u)
        return np.linalg.norm(z - np.outer(z @ u, u), axis=1)


def textures(image: Image) -> Array:
    """Statistics of the four quarters of a field at half resolution, free of brightness: [4, features]."""
    half = np.log(image.reshape(5, 128, 2, 128, 2).mean((2, 4)))
    tiles = half.reshape(5, 2, 64, 2, 64).transpose(1, 3, 0, 2, 4).reshape(4, 5, 64, 64)
    parts = [tiles.std((2, 3))]
    for sigma in (1, 2, 4):
        detail = tiles - gaussian_filter(tiles, (0, 0, sigma, sigma))
        parts += [detail.std((2, 3)), (detail**3).mean((2, 3)) / detail.std((2, 3)) ** 3]
    return np.concatenate(parts, axis=1)


def brightness(image: Image) -> Array:
    """Mean of each channel: [1, 5]."""
    return image.mean((1, 2))[None]


STATES = {
    "positive": HEALTHY_WELL,
    "negative": INFECTED_WELL,
    "half": WellState(rescue=0.5),
    "most": WellState(rescue=0.75),
    "poison": WellState(rescue=0.0, toxicity=0.95),
}
WELLS = 16


@dataclass(frozen=True)
class Measured:
    """Efficacy and off-axis distance of the wells of each state; controls are held out of the fit."""

    efficacy: dict[str, Array]
    off: dict[str, Array]

    @property
    def z_prime(self) -> float:
        positive, negative = self.efficacy["positive"], self.efficacy["negative"]
        return float(1 - 3 * (positive.std() + negative.std()) / abs(positive.mean() - negative.mean()))


def measure(fields: dict[str, list[Image]], features: Callable[[Image], Array]) -> Measured:
    """Fit on the first WELLS of either control, score all other wells."""
    tiles = {name: np.stack([features(image) for image in images]) for name, images in fields.items()}
    axis = Axis.fit(tiles["positive"][:WELLS], tiles["negative"][:WELLS])
    rest = {name: values[-WELLS:] for name, values in tiles.items()}
    return Measured({n: axis.efficacy(v) for n, v in rest.items()}, {n: axis.off(v) for n, v in rest.items()})


@pytest.fixture(scope="module", params=["VERO-like", pytest.param("HRCE-like", marks=pytest.mark.slow)])
def screened(request: pytest.FixtureRequest) -> tuple[Measured, Measured]:
    """By texture and by brightness: fields of every state, with the nuisances of their wells, on four plates."""
    rng = np.random.default_rng(11)
    plates = [draw_plate(Effects(), rng, 5) for _ in range(4)]

    def draw(state: WellState, k: int) -> Image:
        well = draw_well(Effects(), plates[k % 4], (0.0, 0.0), float(k % 3 == 0), rng)
        return draw_field(CELL_LINES[request.param], state, well, rng, size=256, bits=16)

    wells = {name: 2 * WELLS if name in ("positive", "negative") else WELLS for name in STATES}
    fields = {name: [draw(STATES[name], k) for k in range(count)] for name, count in wells.items()}
    return measure(fields, textures), measure(fields, brightness)


def test_a_linear_score_of_a_well_is_linear_in_its_rescue(screened: tuple[Measured, Measured]) -> None:
    """Wells mix healthy and infected foci, so their scores lie on the line between the held-out controls.

    Tolerance: three standard errors of the rescue seen in 16 wells (0.12 a well) is 0.09, and as much for the controls.
    """
    scores = screened[0].efficacy
    low, high = scores["negative"].mean(), scores["positive"].mean()
    for name in ("half", "most"):
        rescue = (scores[name].mean() - low) / (high - low)
        assert rescue == pytest.approx(STATES[name].rescue, abs=0.13), name


def test_poisoned_cells_are_neither_healthy_nor_infected(screened: tuple[Measured, Measured]) -> None:
    by_texture = screened[0]
    controls = np.concatenate([by_texture.off["positive"], by_texture.off["negative"]])
    assert np.median(by_texture.off["poison"]) > 2 * np.median(controls)
    assert by_texture.efficacy["poison"].mean() < 0.2


def test_texture_tells_infection_and_brightness_does_not(screened: tuple[Measured, Measured]) -> None:
    by_texture, by_brightness = screened
    assert by_brightness.z_prime < 0 < by_texture.z_prime


@pytest.mark.parametrize(("bits", "dtype"), [(8, np.uint8), (16, np.uint16)])
def test_an_empty_field_is_background_of_the_depth_of_the_camera(bits: int, dtype: type) -> None:
    rng = np.random.default_rng(0)
    empty = draw_empty(still(), rng, size=64, bits=bits)
    field = draw_field(CELL_LINES["VERO-like"], HEALTHY_WELL, still(), rng, size=64, bits=bits)
    assert empty.dtype == field.dtype == dtype and empty.shape == field.shape == (5, 64, 64)
    assert field.mean() > 3 * empty.mean()
    assert empty.mean() > (PEDESTAL if bits == 16 else 4)
