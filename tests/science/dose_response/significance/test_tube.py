"""The surface of Hill curves is that of its definition, whichever designs are measured beside it."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.arrays import Float
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.significance.tube import tube_coefficients, tube_tail
from scipy.stats import beta

POINTS = (31, 9)


def surface(x: Float, counts: Float, low: float, high: float) -> tuple[float, float]:
    """Return area and boundary of centred unit Hill curves, one cell after the other."""

    def unit(location: float, slope: float) -> Float:
        curve = 1 / (1 + 10 ** (np.exp(slope) * (location - x)))
        centred = np.sqrt(counts / counts.sum()) * (curve - np.average(curve, weights=counts))
        return centred / np.linalg.norm(centred)

    locations, slopes = np.linspace(low, high, POINTS[0]), np.linspace(np.log(0.3), np.log(8.0), POINTS[1])
    u = np.array([[unit(location, slope) for slope in slopes] for location in locations])
    along, across = np.diff(u, axis=0)[:, :-1], np.diff(u, axis=1)[:-1]
    gram = (along**2).sum(2) * (across**2).sum(2) - (along * across).sum(2) ** 2
    edges = (u[0], u[-1], u[:, 0], u[:, -1])
    return float(np.sqrt(gram).sum()), sum(float(np.linalg.norm(np.diff(e, axis=0), axis=1).sum()) for e in edges)


def test_coefficients_are_area_and_boundary_of_the_surface() -> None:
    x = np.array([[0.5, 1.0, 1.4, 2.2, 3.0], [1.0, 1.5, 2.0, 2.5, 3.0]])
    counts, high = np.array([3.0, 3.0, 2.0, 3.0, 1.0]), np.array([4.0, 4.0])
    ours = tube_coefficients(x, counts, SearchSpace(low=np.zeros(2), high=high), POINTS)
    for row, own in zip(ours, x, strict=True):
        area, boundary = surface(own, counts, 0.0, 4.0)
        assert row == pytest.approx(np.array([1 - area / (2 * np.pi), *np.array([boundary, area]) / (2 * np.pi)]))


def test_the_tail_is_a_sum_of_beta_tails() -> None:
    share, n = np.array([0.2, 0.6, 0.95]), 18
    expected = sum(c * beta.sf(share, k / 2, (n - 1 - k) / 2) for k, c in ((1, 0.3), (2, 0.5), (3, 0.7)))
    assert tube_tail(share, n, np.array([0.3, 0.5, 0.7])) == pytest.approx(expected, rel=1e-9)
