"""Image quality control recognises blurred, saturated, overexposed and empty fields."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace

import numpy as np
from gandl_science.assay.image_qc import ChannelMetrics, ImageLimits, can_judge_focus, site_problems
from gandl_shared.imaging import site_metrics
from gandl_shared.schemas.analysis import ImageQcParameters
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

DEFAULT = ImageLimits(**ImageQcParameters().model_dump(exclude={"exclude", "blank", "unusable"}))


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


def metrics(fields: Sequence[NDArray[np.uint8]]) -> ChannelMetrics:
    """The metrics [S, C] of the fields."""
    sites = [site_metrics(f) for f in fields]
    return ChannelMetrics(**{name: np.stack([getattr(s, name) for s in sites]) for name in asdict(sites[0])})


def problems(
    fields: Sequence[NDArray[np.uint8]], limits: ImageLimits = DEFAULT, controls: Sequence[int] | None = None
) -> tuple[tuple[str, ...], ...]:
    """The names of the problems of each field."""
    sides = np.zeros(len(fields), np.intp) if controls is None else np.array(controls, np.intp)
    result = site_problems(metrics(fields), sides, limits)
    names = list(asdict(result))
    return tuple(tuple(name for name in names if result.of_sites(name)[i]) for i in range(len(fields)))


def noise(seed: int) -> NDArray[np.uint8]:
    """A channel as a camera records it while the laser is off."""
    return field(seed, cells=False)[1]


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
    assert not can_judge_focus(metrics(fields).structure, DEFAULT)
    assert problems([*fields, field(7)])[6] == ("blurred",)
    assert can_judge_focus(metrics([*fields, field(7)]).structure, DEFAULT)
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
    metrics_of_none = ChannelMetrics(sharpness=none, saturated=none, structure=none, stripes=none, similarity=none)
    assert site_problems(metrics_of_none, np.zeros(0, np.intp), DEFAULT).blurred.shape == (0, 2)


def test_a_constant_channel_is_dead_wherever_it_is() -> None:
    fields = [field(i) for i in range(12)]
    fields[3][1] = 100
    masks = site_problems(metrics(fields), np.zeros(12, np.intp), DEFAULT)
    assert np.argwhere(masks.dead).tolist() == [[3, 1]]


def test_a_channel_without_structure_in_any_field_is_dead() -> None:
    fields = [field(i) for i in range(4)]
    for i, f in enumerate(fields):
        f[0] = noise(100 + i)
    assert site_problems(metrics(fields), np.zeros(4, np.intp), DEFAULT).dead.tolist() == [[True, False]] * 4


def test_a_laser_that_fails_among_controls_of_one_kind_is_recognised_in_all_fields() -> None:
    """Controls of one kind are in the same state, so that biology cannot silence the channel in some of them."""
    fields = [field(i) for i in range(20)]
    for i in range(13, 20):
        fields[i][1] = noise(100 + i)
    assert problems(fields, controls=[1, -1] * 8 + [0] * 4) == ((),) * 13 + (("dead",),) * 7


def test_a_reporter_that_is_silent_in_one_kind_of_control_is_no_failure() -> None:
    fields = [field(i) for i in range(20)]
    for i in range(1, 20, 2):
        fields[i][1] = noise(100 + i)
    assert problems(fields, controls=[1, -1] * 10) == ((),) * 20


def test_a_copy_of_another_channel_is_recognised_with_any_gain() -> None:
    fields = [field(i) for i in range(10)]
    fields[2][1] = fields[2][0]
    fields[3][1] = (fields[3][0] * 0.6 + 9).astype(np.uint8)
    masks = site_problems(metrics(fields), np.zeros(10, np.intp), DEFAULT)
    assert masks.copy.all(axis=1).tolist() == [False, False, True, True, *[False] * 6]


def test_a_copy_under_the_limits_of_another_channel_is_recognised_by_the_raw_image() -> None:
    """These limits make most of the copy white, so that the mapped channels are hardly alike."""
    raw = np.repeat(field(1)[:1].astype(np.uint16), 2, axis=0)
    mapped = raw.astype(np.uint8)
    mapped[1] = np.clip(raw[1].astype(int) * 8, 0, 255)
    assert site_metrics(mapped).similarity[1] < 0.9
    assert site_metrics(mapped, raw).similarity[1] == 1


def test_stripes_along_rows_and_along_columns_are_recognised() -> None:
    fields = [field(i) for i in range(10)]
    fields[4][0, ::2] += 6
    fields[5][1, :, ::2] += 6
    masks = site_problems(metrics(fields), np.zeros(10, np.intp), DEFAULT)
    assert np.argwhere(masks.striped).tolist() == [[4, 0], [5, 1]]


def test_a_metric_that_was_not_measured_shows_no_problem() -> None:
    measured = metrics([field(i) for i in range(4)])
    unmeasured = np.full((4, 2), np.nan, np.float32)
    masks = site_problems(replace(measured, stripes=unmeasured, similarity=unmeasured), np.zeros(4, np.intp), DEFAULT)
    assert not masks.copy.any() and not masks.striped.any()
