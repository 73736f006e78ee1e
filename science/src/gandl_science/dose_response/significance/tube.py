"""The tail of the best share that a Hill curve explains under the null hypothesis, by the tube formula.

The probability that the best Hill curve explains more than a share r of normal noise is given, for large r, by tails of
beta distributions weighted by the area, the boundary and the Euler characteristic of the surface of unit Hill curves
(Hotelling 1939; Weyl 1939; Johansen and Johnstone 1990).
"""

from __future__ import annotations

import numpy as np
from scipy.special import beta, fdtrc

from gandl_science.arrays import Float
from gandl_science.dose_response.models import SearchSpace, rise_table

_SURFACE_POINTS = (161, 41)
"""EC50s and slopes at which the surface of Hill curves is measured. Twice as many of both change the coefficients of
six doses in four replicates by less than 2 %."""


def tube_coefficients(x: Float, counts: Float, space: SearchSpace, points: tuple[int, int] = _SURFACE_POINTS) -> Float:
    """Return the weights (S, 3) of the beta tails of orders 1, 2, 3, from the surfaces of centred unit Hill curves.

    x (S, D) and the bounds of the search, one number or (S,), are those of S designs with the same wells per dose
    `counts` (D,). `points` are the numbers of EC50s and of slopes at which a surface is measured.

    The expected Euler characteristic of both ends of the data's direction (a falling curve counts as well) is
    2 (1/2 B1 + L / (4 pi) B2 + A / (4 pi) (B3 - B1)), with L the boundary and A the area of the surface (Adler and
    Taylor 2007).
    """
    # Doses with more wells count more, as they do in the fit.
    share, slopes = counts / counts.sum(), np.linspace(*space.slopes, points[1])
    low, high = (np.broadcast_to(end, len(x)) for end in (space.low, space.high))
    locations = np.linspace(low, high, points[0], axis=-1)
    # A surface just fits into the cache of a core, so that there is nothing to gain from several at once.
    sizes = np.array([_surface_size(own, share, places, slopes) for own, places in zip(x, locations, strict=True)])
    area, boundary = sizes.T / (2 * np.pi)
    return np.stack([1.0 - area, boundary, area], axis=1)


def _surface_size(x: Float, share: Float, locations: Float, slopes: Float) -> tuple[float, float]:
    """Return the area and the boundary of the surface of centred unit Hill curves at x (D,).

    `share` (D,) are the wells of each dose as a part of all.
    """
    n = locations.size
    # All points are on one axis, (D, K * L), because operations on short or interrupted axes are slow, and changes are
    # made in place.
    unit = rise_table(x, locations, slopes).reshape(x.size, -1)
    unit -= share @ unit
    unit *= np.sqrt(share)[:, None]
    unit /= np.maximum(np.sqrt(_inner(unit, unit)), 1e-150)
    # The last location of a slope and the first of the next one are no neighbours; `along` has them, and they are left
    # out below.
    along, across = unit[:, 1:] - unit[:, :-1], unit[:, n:] - unit[:, :-n]
    along_squares, across_squares = _inner(along, along), _inner(across, across)
    corners = across.shape[1]
    products = _inner(along[:, :corners], across)
    # The area is the sum of small parallelograms, by the Gram determinant of their two edges.
    determinants = (along_squares[:corners] * across_squares - products**2).reshape(-1, n)[:, :-1]
    area = float(np.sqrt(np.maximum(determinants, 0.0)).sum())
    across_edges = across_squares.reshape(-1, n)[:, [0, -1]]
    boundary = sum(
        float(np.sqrt(edge).sum()) for edge in (along_squares[: n - 1], along_squares[1 - n :], across_edges)
    )
    return area, boundary


def _inner(a: Float, b: Float) -> Float:
    """Return the sums (N,) of the products of two arrays (D, N)."""
    return np.asarray(np.einsum("dn,dn->n", a, b))


def tube_tail(share: Float, n_wells: float, coefficients: Float) -> Float:
    """Return P (...) of a best share at least this large under the null, by the tube formula; above 1 for small shares.

    `coefficients` (..., 3) are those of `tube_coefficients`, for each share or for all of them.
    """
    return np.asarray((_beta_tails(share, n_wells) * coefficients).sum(axis=-1))


def _beta_tails(share: Float, n_wells: float) -> Float:
    """Return P(B > share) (..., 3) for B of beta(k / 2, (n - 1 - k) / 2), k = 1, 2, 3, without three slow integrals.

    The first is the tail of an F with 1 and n - 2 degrees of freedom, the second a power; the third follows from the
    first by I(a, b) - I(a + 1, b - 1) = x^a (1 - x)^(b - 1) / (a B(a, b)) (DLMF, section 8.17).
    """
    b, rest = (n_wells - 2) / 2, np.maximum(1 - share, 1e-300)
    first = fdtrc(1, n_wells - 2, (n_wells - 2) * share / rest)
    third = first + 2 * np.sqrt(share) * rest ** (b - 1) / beta(0.5, b)
    return np.stack([first, rest ** (b - 0.5), third], axis=-1)
