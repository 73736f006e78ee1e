"""Augmentation: nothing at p = 0, the right transforms at p = 1, and the heuristic's direction."""

from __future__ import annotations

import pytest
import torch
from gandl_training.config import AugmentConfig, TransformConfig
from gandl_training.steps import augment as a
from gandl_training.steps.random_numbers import StepRandom

CPU = torch.device("cpu")
ZERO, ONE = torch.tensor(0.0), torch.tensor(1.0)


def random(step: int = 0) -> StepRandom:
    return StepRandom.of_step(1, step, CPU)


def test_nothing_happens_at_p_zero() -> None:
    images = torch.randn(4, 5, 16, 16)
    assert torch.equal(a.augment(images, ZERO, random()), images)
    for transform in (a.move, a.change_intensity, a.add_noise, a.cut_out):
        assert torch.allclose(transform(images, ZERO, random()), images, atol=1e-5)


def test_moves_without_scaling_are_the_eight_orientations() -> None:
    """At p = 1 a mirror image is one of two and a turn one of four, so each of the eight is an eighth of 512 images."""
    image = torch.randn(1, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    moved = a.move(image.expand(512, -1, -1, -1), ONE, random(), TransformConfig(scale=0, shift=0))
    orientations = [torch.rot90(i, k, (2, 3)) for i in (image, image.flip(3)) for k in range(4)]
    counts = [sum(torch.allclose(m, o[0], atol=1e-4) for m in moved) for o in orientations]
    assert sum(counts) == 512
    assert all(32 <= n <= 96 for n in counts), counts  # 64 ± 7.5, so within 4 standard deviations


def test_moves_by_any_angle_keep_a_disc_and_turn_a_bar() -> None:
    """The angles of a bar through the centre are spread evenly over half a turn; a disc stays as it is.

    Corners are left out, because the transform mirrors what lies outside the image into them.
    """
    y, x = torch.meshgrid(torch.arange(32) - 15.5, torch.arange(32) - 15.5, indexing="ij")
    radius = (y.square() + x.square()).sqrt()
    disc = torch.sigmoid(10 - radius)
    bar = torch.exp(-y.square() / 4) * disc
    any_angle = TransformConfig(any_angle=True, scale=0, shift=0)
    moved = a.move(torch.stack([disc, bar])[:, None].repeat_interleave(256, 0), ONE, random(), any_angle)[:, 0]
    moved, disc = moved * (radius < 14), disc * (radius < 14)
    assert (moved[:256] - disc).abs().max() < 0.1
    down, across, both = ((moved[256:] * square).sum((1, 2)) for square in (y * y, x * x, x * y))
    angles = torch.atan2(2 * both, across - down) / 2
    counts = torch.histc(angles, 4, -torch.pi / 2, torch.pi / 2)
    assert counts.min() >= 40, counts  # 64 ± 7


def test_shifts_are_whole_pixels_both_ways_up_to_an_eighth() -> None:
    """A point at pixel (8, 8) of 16 stays or, mirrored or turned, goes to 7; shifts are −2 to 2 along both axes."""
    images = torch.zeros(2048, 1, 16, 16)
    images[:, :, 8, 8] = 1.0
    moved = a.move(images, ONE, random(), TransformConfig(scale=0))
    assert torch.allclose(moved.flatten(1).max(1).values, torch.ones(2048), atol=1e-4)
    pixels = moved.flatten(1).argmax(1)
    assert pixels.unique().tolist() == [16 * y + x for y in range(5, 11) for x in range(5, 11)]


def test_scales_are_isotropic_and_log_normal() -> None:
    """The second moments of a blob grow with the square of its scale, alike along both axes."""
    edge = torch.arange(64) - 31.5
    blob = torch.exp(-(edge[:, None].square() + edge[None].square()) / 32)
    moved = a.move(blob.expand(512, 1, 64, 64), ONE, random(), TransformConfig(shift=0))[:, 0]
    down, across = (
        ((moved * square).sum((1, 2)) / moved.sum((1, 2))).sqrt() / 4
        for square in (edge[:, None].square(), edge[None].square())
    )
    assert torch.allclose(down, across, rtol=1e-3)
    assert down.log2().mean().item() == pytest.approx(0, abs=0.04)
    assert down.log2().std().item() == pytest.approx(0.2, rel=0.15)  # of 512 draws: ± 3 %


def test_gains_of_channels_are_independent_and_keep_black() -> None:
    only_gain = TransformConfig(offset=0)
    gains = a.change_intensity(torch.zeros(512, 2, 2, 2), ONE, random(), only_gain)[:, :, 0, 0] + 1
    check_independent(gains.log2(), 0.2)
    black = torch.full((8, 2, 2, 2), -1.0)
    assert torch.allclose(a.change_intensity(black, ONE, random(), only_gain), black)


def test_offsets_of_channels_are_independent_and_the_same_everywhere() -> None:
    black = torch.full((512, 2, 2, 2), -1.0)  # which no gain changes
    offsets = a.change_intensity(black, ONE, random()) + 1
    assert torch.allclose(offsets, offsets[:, :, :1, :1].expand_as(offsets))
    check_independent(offsets[:, :, 0, 0], 0.1)


def check_independent(values: torch.Tensor, stddev: float) -> None:
    """[512, 2] normal values of mean 0: standard deviations to 3 %, correlation 0 ± 0.044."""
    assert values.mean(0).tolist() == pytest.approx([0, 0], abs=stddev / 5)
    assert values.std(0).tolist() == pytest.approx([stddev, stddev], rel=0.15)
    assert abs(torch.corrcoef(values.T)[0, 1].item()) < 0.15


def test_noise_is_white_and_of_half_normal_strength() -> None:
    """Strength |s|, s normal of standard deviation 0.1: its mean is 0.1·√(2/π) and that of its square 0.1²."""
    added = a.add_noise(torch.zeros(512, 2, 16, 16), ONE, random())
    strength = added.std((1, 2, 3))
    assert strength.mean().item() == pytest.approx(0.1 * (2 / torch.pi) ** 0.5, rel=0.15)
    assert strength.square().mean().item() == pytest.approx(0.01, rel=0.25)
    white = added / strength[:, None, None, None]
    assert white.mean().item() == pytest.approx(0, abs=0.02)
    for neighbour in (white[..., 1:] * white[..., :-1], white[:, 0] * white[:, 1], white[1:] * white[:-1]):
        assert neighbour.mean().item() == pytest.approx(0, abs=0.02)


def test_each_transform_happens_to_a_share_p_of_the_images() -> None:
    """Of 512 at p = 0.25: 128 ± 10. Of a move's four gates, a mirror is one in two and a turn three in four."""
    images = torch.rand(512, 2, 16, 16, generator=torch.Generator().manual_seed(0))
    quarter = torch.tensor(0.25)
    two = 1 - 0.75**2
    for transform, share in ((a.add_noise, 0.25), (a.cut_out, 0.25), (a.change_intensity, two)):
        changed = (transform(images, quarter, random()) - images).abs().amax((1, 2, 3)) > 1e-6
        assert changed.float().mean().item() == pytest.approx(share, abs=0.07)
    moved = (a.move(images, quarter, random()) - images).abs().amax((1, 2, 3)) > 1e-3
    alike = (1 - 0.25 / 2) * (1 - 0.25 * 3 / 4) * (1 - 0.25 * 15 / 16) * (1 - 0.25)  # and 1 of 16 shifts is none
    assert moved.float().mean().item() == pytest.approx(1 - alike, abs=0.07)


def test_all_transforms_are_applied_one_after_another(monkeypatch: pytest.MonkeyPatch) -> None:
    applied: list[str] = []
    for name in ("move", "change_intensity", "add_noise", "cut_out"):
        monkeypatch.setattr(a, name, lambda images, *_, name=name: applied.append(name) or images)
    a.augment(torch.zeros(1, 1, 8, 8), ONE, random())
    assert applied == ["move", "change_intensity", "add_noise", "cut_out"]


def test_cutout_blackens_at_most_a_quarter() -> None:
    cut = a.cut_out(torch.ones(64, 1, 16, 16), ONE, random()) == -1
    shares = cut.float().mean((1, 2, 3))
    assert shares.max() <= 0.25
    assert shares.min() > 0


def test_gradients_reach_the_generator() -> None:
    images = torch.randn(4, 2, 16, 16, requires_grad=True)
    a.augment(images, ONE, random()).sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0


def test_p_rises_on_overfitting_falls_otherwise_and_stays_in_bounds() -> None:
    config = AugmentConfig(adaptive=True, target=0.6, speed_kimg=1.0, most=0.8)
    assert a.next_probability(torch.tensor(0.2), torch.tensor(0.9), config, 100).item() == pytest.approx(0.3)
    assert a.next_probability(torch.tensor(0.2), torch.tensor(0.1), config, 100).item() == pytest.approx(0.1)
    assert a.next_probability(torch.tensor(0.79), torch.tensor(0.9), config, 100).item() == pytest.approx(0.8)
    assert a.next_probability(torch.tensor(0.0), torch.tensor(0.1), config, 100).item() == 0.0
