"""Figures of a field: equal to their definitions, whatever its shape; cheap beside decoding and embedding."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_shared.imaging import site_metrics, tile_contrast
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Float = NDArray[np.float64]


def field(seed: int, shape: tuple[int, int] = (95, 67), blur: float = 0.0) -> NDArray[np.uint8]:
    """Two channels of spots on a noisy, unevenly lit background."""
    rng = np.random.default_rng(seed)
    (h, w), y, x = shape, *(np.mgrid[: shape[0], : shape[1]] / 96)
    image = np.zeros((2, h, w))
    image[:, rng.integers(4, h - 4, 40), rng.integers(4, w - 4, 40)] = 3000
    image = gaussian_filter(image, (0, 2 + blur, 2 + blur)) + 20 + 15 * x + 10 * y**2
    return np.clip(image + rng.normal(size=image.shape) * 2, 0, 255).astype(np.uint8)


def autocovariance(x: Float, lag: int) -> float:
    centred = x - x.mean()
    down, across = (centred[lag:] * centred[:-lag]).mean(), (centred[:, lag:] * centred[:, :-lag]).mean()
    return float(down + across) / 2


def structure(x: Float) -> float:
    """Block by block, the surface by least squares on a design matrix."""
    blocks = [[x[i : i + 4, j : j + 4] for j in range(0, x.shape[1] - 3, 4)] for i in range(0, x.shape[0] - 3, 4)]
    means = np.array([[b.mean() for b in row] for row in blocks])
    within = np.mean([[b.var(ddof=1) for b in row] for row in blocks]) / 16
    y, u = (a.ravel() for a in np.meshgrid(*(np.linspace(-1, 1, n) for n in means.shape), indexing="ij"))
    terms = np.stack([np.ones_like(u), u, y, u * y, u**2, y**2], axis=1)
    rest = means.ravel() - terms @ np.linalg.lstsq(terms, means.ravel(), rcond=None)[0]
    return float(np.sqrt(rest.var() / within))


@pytest.mark.parametrize("shape", [(96, 96), (95, 67), (64, 130)])
def test_metrics_follow_their_definitions(shape: tuple[int, int]) -> None:
    image = field(1, shape)
    image[1, :20, :30] = 255
    metrics = site_metrics(image)
    for c, channel in enumerate(image.astype(np.float64)):
        sharpness = 1 - autocovariance(channel, 3) / autocovariance(channel, 1)
        assert metrics.sharpness[c] == pytest.approx(sharpness, rel=1e-5)
        assert metrics.structure[c] == pytest.approx(structure(channel), rel=1e-5)
        assert metrics.saturated[c] == pytest.approx(np.mean(channel == 255))


def test_noise_has_no_structure_and_blur_takes_sharpness() -> None:
    rng = np.random.default_rng(0)
    noise = np.clip(rng.normal(40, 5, (3, 128, 128)), 0, 255).astype(np.uint8)
    np.testing.assert_allclose(site_metrics(noise).structure, 1.0, atol=0.15)
    sharp, soft = site_metrics(field(2)), site_metrics(field(2, blur=2))
    assert (soft.sharpness < 0.7 * sharp.sharpness).all()
    assert (sharp.structure > 3).all()


@pytest.mark.parametrize("level", [0, 9, 255])
def test_a_constant_field_has_zeros_and_no_warning(level: int) -> None:
    metrics = site_metrics(np.full((2, 32, 32), level, np.uint8))
    assert not metrics.sharpness.any() and not metrics.structure.any()
    assert metrics.saturated.tolist() == [float(level == 255)] * 2


def test_memory_layout_does_not_matter_to_a_bit() -> None:
    image = field(3)
    turned = np.asfortranarray(image)
    for name in ("sharpness", "saturated", "structure"):
        np.testing.assert_array_equal(getattr(site_metrics(image), name), getattr(site_metrics(turned), name))


def test_contrast_of_tiles_is_that_of_their_best_channel_without_pixel_noise() -> None:
    rng = np.random.default_rng(0)
    tiles = rng.normal(100, 8, (5, 2, 33, 33)).clip(0, 255).astype(np.uint8)  # noise alone: 8 levels a pixel
    tiles[1, 1, 8:16, 8:16] = 250  # a cell in the second channel
    tiles[2] += 100  # bright, and as empty
    means = tiles[:, :, :32, :32].astype(float).reshape(5, 2, 8, 4, 8, 4).mean((3, 5))
    contrast = tile_contrast(tiles)
    np.testing.assert_allclose(contrast, means.std((2, 3)).max(1), rtol=1e-5)
    assert max(contrast[0], contrast[2]) < 4
    assert contrast[1] > 30
    assert tile_contrast(tiles[:0]).shape == (0,)
