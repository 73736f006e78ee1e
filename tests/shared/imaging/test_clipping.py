"""How pixels lie in limits that were made for other images, and which limits are refused."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.imaging import IntensityLimits, IntensityTally, downscaled, misfit, sample_pixels, to_uint8
from gandl_shared.imaging.clipping import camera_bits
from gandl_shared.schemas.limits import PlateIntensities
from numpy.typing import NDArray

CARD = IntensityLimits(low=(0.0, 10.0), high=(255.0, 250.0))
NAMES = ("GFP", "DNA")
RNG = np.random.default_rng(0)


def tallied(*images: NDArray[np.generic], limits: IntensityLimits = CARD) -> PlateIntensities:
    tally = IntensityTally(limits, NAMES)
    for image in images:
        small = downscaled(image, 1)
        tally.add(image, small, to_uint8(small, limits))
    intensities = tally.intensities
    assert intensities is not None
    return intensities


def counts(low: float, high: float) -> NDArray[np.float64]:
    return RNG.uniform(low, high, (2, 64, 64))


def test_images_in_the_range_of_the_card_fit() -> None:
    intensities = tallied(counts(12, 240).astype(np.uint8), counts(12, 240).astype(np.uint8))
    assert (intensities.sites, intensities.pixel_type, intensities.bits) == (2, "uint8", 8)
    assert [c.clipped for c in intensities.channels] == [0, 0]
    assert misfit(intensities, CARD) is None


def test_counts_of_12_bit_under_the_card_of_8_bit_are_named_with_their_share() -> None:
    reason = misfit(tallied(counts(0, 1000).astype(np.uint16)), CARD)
    assert reason is not None
    assert re.match(r"7\d % of channel GFP and 7\d % of channel DNA lie outside the limits", reason)
    assert "images of 10 bit: GFP from 0 to 999, limits 0 to 255;" in reason


def test_fractions_of_1_under_the_card_of_8_bit_use_one_grey_level() -> None:
    limits = IntensityLimits(low=(0.0, 0.0), high=(255.0, 255.0))
    reason = misfit(tallied(counts(0, 0.06).astype(np.float32), limits=limits), limits)
    assert reason is not None and "about 1 of 256 grey levels (images of float32: GFP from" in reason


def test_one_dark_channel_and_constant_images_are_no_misfit() -> None:
    dark = np.stack([counts(12, 240)[0], np.full((64, 64), 12)]).astype(np.uint8)
    assert misfit(tallied(dark), CARD) is None
    assert misfit(tallied(np.full((2, 64, 64), 20, np.uint8)), CARD) is None


def test_ties_at_a_limit_are_not_clipped() -> None:
    """The brightest value of a camera of 8 bit is the limit itself."""
    intensities = tallied(np.full((2, 8, 8), 250, np.uint8))
    assert [c.above for c in intensities.channels] == [0, 0]


def test_a_tally_agrees_with_a_sample_of_the_same_files(tmp_path: Path) -> None:
    images = [counts(0, high).astype(np.uint16) for high in (300, 260)]
    paths = [[tmp_path / f"{i}.tif"] for i in range(2)]
    for image, (path,) in zip(images, paths, strict=True):
        tifffile.imwrite(path, image, metadata={"axes": "CYX"}, photometric="minisblack")
    sample, tally = sample_pixels(paths, downscale=1).intensities(CARD, NAMES), tallied(*images)
    for a, b in zip(sample.channels, tally.channels, strict=True):
        assert (a.smallest, a.largest, a.below, a.above) == (b.smallest, b.largest, b.below, b.above)
        assert a.used == pytest.approx(b.used, abs=0.01)
    assert (sample.bits, sample.sites, sample.pixel_type) == (tally.bits, tally.sites, tally.pixel_type)


@pytest.mark.parametrize(
    ("largest", "bits"), [(3, 8), (255, 8), (256, 10), (1023, 10), (4095, 12), (9000, 14), (16384, 16), (65535, 16)]
)
def test_the_bit_depth_is_that_of_the_largest_value(largest: float, bits: int) -> None:
    assert camera_bits("uint16", largest) == bits
    assert camera_bits("float32", largest) is None


def test_a_tally_without_images_says_nothing() -> None:
    assert IntensityTally(CARD, NAMES).intensities is None
