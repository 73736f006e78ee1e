"""Focal planes that become one image."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_shared.errors import InvalidImage
from gandl_shared.imaging.planes import focus_measure, reduce_planes
from gandl_shared.schemas.choice import Reduction
from numpy.typing import NDArray


def blurred(image: NDArray[np.float64], times: int) -> NDArray[np.uint16]:
    for _ in range(times):
        image = (image + sum(np.roll(image, step, axis) for step in (-1, 1) for axis in (0, 1))) / 5
    return np.rint(image).astype(np.uint16)[None]


def stack(seed: int = 0) -> list[NDArray[np.uint16]]:
    """Spots out of focus, in focus and out of focus again, each plane with noise of its own; the first is dim."""
    rng = np.random.default_rng(seed)
    spots = 100.0 + 2000 * (rng.random((64, 64)) > 0.98)
    planes = [blurred(spots * 0.3, 8), blurred(spots, 1), blurred(spots, 6)]
    return [(plane + rng.integers(0, 40, plane.shape)).astype(np.uint16) for plane in planes]


def named(planes: list[NDArray[np.uint16]]) -> list[tuple[str, NDArray[np.uint16]]]:
    return [(f"p{number}.tif", plane) for number, plane in enumerate(planes, start=1)]


def test_the_maximum_is_taken_pixel_by_pixel() -> None:
    planes = stack()
    np.testing.assert_array_equal(reduce_planes(named(planes), Reduction.MAX), np.max(planes, axis=0))


def test_the_plane_in_focus_is_taken_whole() -> None:
    planes = stack()
    image = reduce_planes(named(planes), Reduction.FOCUS)
    np.testing.assert_array_equal(image, planes[1])
    assert focus_measure(planes[1]) > focus_measure(planes[2]) > focus_measure(planes[0])


def test_noise_is_not_taken_for_focus() -> None:
    noise = np.random.default_rng(1).integers(0, 400, (1, 64, 64)).astype(np.uint16)
    assert focus_measure(stack()[1]) > abs(focus_measure(noise))


def test_a_single_plane_is_returned_as_it_is() -> None:
    (plane, *_) = stack()
    for reduction in Reduction:
        assert reduce_planes([("a.tif", plane)], reduction) is plane


def test_several_planes_without_a_reduction_and_planes_of_two_sizes_are_refused() -> None:
    planes = stack()
    with pytest.raises(InvalidImage, match="p2.tif and p1.tif are both of one channel; choose a plane, max or focus"):
        reduce_planes(named(planes), Reduction.NONE)
    with pytest.raises(InvalidImage, match="p2.tif and p1.tif are focal planes of one channel, but differ"):
        reduce_planes(named([planes[0], planes[1][:, :32]]), Reduction.MAX)
