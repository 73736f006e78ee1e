"""Image quality control recognises blurred, saturated, overexposed and empty fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from gandl_science.assay.image_qc import ImageLimits, can_judge_focus, site_problems
from gandl_shared.imaging import site_metrics
from gandl_shared.schemas.analysis import ImageQcParameters
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

DEFAULT = ImageLimits(**ImageQcParameters().model_dump(exclude={"exclude", "blank"}))


def field(seed: int, blur: float = 0.0, cells: bool = True) -> NDArray[np.uint8]:
    """Two channels of spots on a noisy, unevenly lit background."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:96, :96] / 96
    image = np.zeros((2, 96, 96))
    if cells:
        image[:, rng.integers(4, 92, 60), rng.integers(4, 92, 60)] = 3000
        image = gaussian_filter(image, (0, 2 + blur, 2 + blur))
    image += 20 + 15 * x + 10 * y**2
    return np.clip(image + rng.normal(size=image.shape) * 2, 0, 255).astype(np.uint8)


def metrics(fields: Sequence[NDArray[np.uint8]]) -> tuple[NDArray[np.float32], ...]:
    """Sharpness, saturation and structure [S, C] of the fields."""
    sites = [site_metrics(f) for f in fields]
    return tuple(np.stack([getattr(s, name) for s in sites]) for name in ("sharpness", "saturated", "structure"))


def problems(fields: Sequence[NDArray[np.uint8]], limits: ImageLimits = DEFAULT) -> tuple[tuple[str, ...], ...]:
    """The names of the problems of each field."""
    masks = asdict(site_problems(*metrics(fields), limits))
    return tuple(tuple(name for name in masks if masks[name][i]) for i in range(len(fields)))


def spoilt(share: float) -> NDArray[np.uint8]:
    """A good field with a share of channel 2 at the top."""
    image = field(60)
    image[1, : round(96 * share)] = 255
    return image


def test_good_fields_have_no_problem() -> None:
    assert problems([field(i) for i in range(20)]) == ((),) * 20


def test_bad_fields_have_their_own_problem() -> None:
    good = [field(i) for i in range(12)]
    dark, white = (np.full((2, 96, 96), level, np.uint8) for level in (9, 255))
    results = problems([*good, field(50, blur=4), field(51, cells=False), spoilt(0.2), spoilt(0.7), dark, white])
    assert results[:12] == ((),) * 12
    assert results[12:14] == (("blurred",), ("empty",))
    assert "saturated" in results[14] and "overexposed" in results[15] and "saturated" not in results[15]
    assert results[16:] == (("empty",), ("overexposed",))


def test_one_channel_with_cells_is_enough_not_to_be_empty() -> None:
    image = field(1)
    image[0] = field(2, cells=False)[0]
    assert problems([field(i) for i in range(10)] + [image])[-1] == ()


def test_limits_can_be_set_and_few_sites_are_not_judged_for_focus() -> None:
    fields = [field(i) for i in range(6)] + [field(50, blur=4)]
    assert problems(fields)[-1] == ()
    assert not can_judge_focus(metrics(fields)[2], DEFAULT)
    assert problems([*fields, field(7)])[6] == ("blurred",)
    assert can_judge_focus(metrics([*fields, field(7)])[2], DEFAULT)
    assert problems([*fields, field(7)], replace(DEFAULT, focus=1e6))[6] == ()
    assert set(problems(fields, replace(DEFAULT, structure=1e6))) == {("empty",)}
    assert problems([spoilt(0.2)], replace(DEFAULT, saturation=0.5)) == ((),)


def test_a_channel_that_is_dark_almost_everywhere_does_not_decide_on_focus() -> None:
    """Such as a virus stain in a plate of uninfected wells: noise has no focus."""
    fields = [field(i) for i in range(12)]
    for f in fields[1:]:
        f[1] = field(99, cells=False)[1]
    assert problems(fields) == ((),) * 12


def test_without_sites_there_is_no_problem() -> None:
    none = np.empty((0, 2), np.float32)
    assert len(site_problems(sharpness=none, saturated=none, structure=none, limits=DEFAULT).blurred) == 0
