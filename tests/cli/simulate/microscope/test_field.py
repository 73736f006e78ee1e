"""What the simulated images are: optics against closed forms, and the truth against a linear score of the pixels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pytest
from gandl.simulate import CELL_LINES, Effects, Response, WellState
from gandl.simulate.cells.outlines import Shapes, compete
from gandl.simulate.cells.pharmacology import HEALTHY, INFECTED, hill
from gandl.simulate.cells.population import phenotypes, populate, scatter
from gandl.simulate.cells.textures import noise_patch, spots
from gandl.simulate.microscope.camera import BACKGROUND, COUNTS, PEDESTAL, READ_NOISE, Image, photograph
from gandl.simulate.microscope.effects import WellEffects, draw_plate, draw_well
from gandl.simulate.microscope.field import draw_field
from gandl.simulate.plates.wells import jittered
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Array = NDArray[np.float64]


def still(density: float = 1.0) -> WellEffects:
    """No nuisance at all: gain one, no blur to speak of, even light."""
    return WellEffects(np.ones(5), np.ones(5), density, 0.01, (0.0, 0.0), 0.0)


def test_hill_at_known_doses() -> None:
    assert hill(2.0, 2.0, 1.7) == pytest.approx(0.5)
    assert hill(20.0, 2.0, 1.0) == pytest.approx(10 / 11)
    assert hill(0.0, 2.0, 1.0) == 0.0


def test_efficacy_is_the_gain_loss_curve() -> None:
    response = Response(0.5, 1.5, 0.9, toxicity_ec50_um=8.0, toxicity_slope=3.0)
    for dose in (0.05, 0.5, 3.0, 8.0, 30.0):
        gain = 1 / (1 + 10 ** (1.5 * (np.log10(0.5) - np.log10(dose))))
        loss = 1 / (1 + 10 ** (3.0 * (np.log10(dose) - np.log10(8.0))))
        assert response.at(dose).efficacy == pytest.approx(-1 + 2 * 0.9 * gain * loss)


@pytest.mark.parametrize(
    ("response", "verdict"),
    [
        (Response(1.0), "active"),
        (Response(1.0, toxicity_ec50_um=10.0), "active_biphasic"),
        (Response(1.0, toxicity_ec50_um=1000.0), "active"),
        (Response(), "inactive"),
        (Response(toxicity_ec50_um=5.0), "toxic"),
        (Response(toxicity_ec50_um=5000.0), "inactive"),
    ],
)
def test_expected_verdicts(response: Response, verdict: str) -> None:
    assert response.expected_verdict(30.0) == verdict


@pytest.mark.parametrize("rescue", [0.0, 0.2, 0.5, 0.9, 1.0])
def test_the_infected_fraction_of_the_cells_is_linear_in_rescue(rescue: float) -> None:
    """Severity of infected cells is Beta(6, 1.5), of others Beta(1, 14), so the mean weight is known in closed form."""
    rng = np.random.default_rng(3)
    state = WellState(rescue)
    infected = [phenotypes(scatter(128, 20.0, rng), state, rng)[:, 1].mean() for _ in range(60)]
    expected = state.infected * 6 / 7.5 + (1 - state.infected) / 15
    assert np.mean(infected) == pytest.approx(expected, abs=4 * np.std(infected) / np.sqrt(60) + 1e-3)


def test_wells_scatter_around_the_expected_fractions() -> None:
    rng = np.random.default_rng(0)
    drawn = [jittered(WellState(0.3, 0.6), 0.004, rng) for _ in range(4000)]
    assert np.mean([s.rescue for s in drawn]) == pytest.approx(0.3, abs=0.002)
    assert np.std([s.toxicity for s in drawn]) == pytest.approx(np.sqrt(0.6 * 0.4 * 0.004), rel=0.05)


def test_infection_fuses_and_detaches_cells() -> None:
    rng = np.random.default_rng(1)
    line = CELL_LINES["VERO-like"]
    healthy = [populate(line, HEALTHY, 1.0, 256, rng) for _ in range(8)]
    infected = [populate(line, INFECTED, 1.0, 256, rng) for _ in range(8)]
    count = np.mean([len(c) for c in infected]) / np.mean([len(c) for c in healthy])
    assert 0.7 < count < 0.92
    fused = [np.mean(c.owner != np.arange(len(c))) for c in infected]
    assert np.mean(fused) > 0.1
    assert max(np.mean(c.owner != np.arange(len(c))) for c in healthy) < 0.1


def circles(*places: tuple[float, float, float]) -> Shapes:
    x, y, radius = np.array(places, np.float32).T
    n = len(places)
    flat = np.zeros((3, n), np.float32)
    return Shapes(x, y, np.zeros(n, np.float32), radius, np.ones(n, np.float32), flat, flat)


def test_a_circle_has_its_area_and_touching_cells_meet_halfway() -> None:
    alone = compete(circles((50, 50, 20)), np.array([0], np.int32), 100)
    assert np.sum(alone.rho < 1) == pytest.approx(np.pi * 400, rel=0.02)
    assert alone.label[0, 0] == 1  # beyond the last cell: background
    both = compete(circles((40, 50, 20), (60, 50, 20)), np.array([0, 1], np.int32), 100)
    assert set(both.label[50, 30:50]) == {0} and set(both.label[50, 51:70]) == {1}
    assert both.second[50, 50] == pytest.approx(both.rho[50, 50])
    fused = compete(circles((40, 50, 20), (60, 50, 20)), np.array([0, 0], np.int32), 100)
    assert fused.second.min() > 1  # no border inside a syncytium


def test_shot_and_read_noise_have_the_stated_variance() -> None:
    flat = np.full((5, 128, 128), 500.0, np.float32)
    counts = photograph(flat, still(), 16, np.random.default_rng(2)).astype(float)
    electrons = 500.0 + BACKGROUND
    assert counts.mean(axis=(1, 2)) == pytest.approx(electrons * COUNTS[16] + PEDESTAL, rel=0.003)
    assert counts.var(axis=(1, 2)) == pytest.approx((electrons + READ_NOISE**2) * COUNTS[16] ** 2, rel=0.06)


def test_bright_pixels_saturate() -> None:
    bright = np.full((5, 64, 64), 1e6, np.float32)
    for bits in (8, 16):
        assert photograph(bright, still(), bits, np.random.default_rng(0)).min() == 2**bits - 1


def test_a_spot_has_the_height_asked_for() -> None:
    image = spots(np.array([20.0]), np.array([30.0]), np.array([3.0]), 2.0, 64)
    assert np.unravel_index(image.argmax(), image.shape) == (30, 20)
    assert image.max() == pytest.approx(3.0, rel=0.03)
    assert spots(np.array([-9.0]), np.array([5.0]), np.array([3.0]), 2.0, 64).max() == 0


def test_noise_patches_are_standardised_and_periodic() -> None:
    patch = noise_patch(4.0)
    assert patch.mean() == pytest.approx(0, abs=1e-4) and patch.std() == pytest.approx(1, abs=1e-3)
    inside, across = np.diff(patch, axis=0).std(), (patch[0] - patch[-1]).std()
    assert across == pytest.approx(inside, rel=0.15)


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
    "positive": HEALTHY,
    "negative": INFECTED,
    "half": WellState(0.5),
    "most": WellState(0.75),
    "poison": WellState(0.0, 0.95),
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


@pytest.fixture(scope="module", params=sorted(CELL_LINES))
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
