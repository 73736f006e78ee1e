"""Augmentation: nothing at p = 0, the right transforms at p = 1, and the heuristic's direction."""

from __future__ import annotations

import pytest
import torch
from gandl_training import augment as a
from gandl_training.config import AugmentConfig
from gandl_training.draws import Draws

CPU = torch.device("cpu")
ZERO, ONE = torch.tensor(0.0), torch.tensor(1.0)


def draws(step: int = 0) -> Draws:
    return Draws.of(1, step, CPU)


def test_nothing_happens_at_p_zero() -> None:
    images = torch.randn(4, 5, 16, 16)
    assert torch.equal(a.augment(images, ZERO, draws()), images)
    for transform in (a.move, a.change_intensity, a.add_noise, a.cut_out):
        assert torch.allclose(transform(images, ZERO, draws()), images, atol=1e-5)


def test_moves_without_scaling_only_permute_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(a, "SCALE_STDDEV", 0.0)
    monkeypatch.setattr(a, "SHIFT", 0.0)
    images = torch.randn(16, 1, 8, 8)
    moved = a.move(images, ONE, draws())
    assert torch.allclose(moved.flatten(1).sort().values, images.flatten(1).sort().values, atol=1e-4)
    orientations = [torch.rot90(i, k, (1, 2)) for i in (images[0], images[0].flip(2)) for k in range(4)]
    assert any(torch.allclose(moved[0], o, atol=1e-4) for o in orientations)


def test_shifts_are_whole_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(a, "SCALE_STDDEV", 0.0)
    images = torch.zeros(32, 1, 16, 16)
    images[:, :, 8, 8] = 1.0
    moved = a.move(images, ONE, draws())
    peaks = moved.flatten(1).max(1).values
    assert torch.allclose(peaks, torch.ones(32), atol=1e-4)


def test_channels_change_independently_and_black_stays_black_without_offset(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(a, "OFFSET_STDDEV", 0.0)
    images = torch.zeros(64, 2, 2, 2)
    gains = a.change_intensity(images, ONE, draws())[:, :, 0, 0] + 1
    assert not torch.allclose(gains[:, 0], gains[:, 1])
    assert gains.log2().std().item() == pytest.approx(a.GAIN_STDDEV, rel=0.3)
    black = torch.full((8, 2, 2, 2), -1.0)
    assert torch.allclose(a.change_intensity(black, ONE, draws()), black)


def test_cutout_blackens_at_most_a_quarter() -> None:
    cut = a.cut_out(torch.ones(64, 1, 16, 16), ONE, draws()) == -1
    shares = cut.float().mean((1, 2, 3))
    assert shares.max() <= 0.25
    assert shares.min() > 0


def test_gradients_reach_the_generator() -> None:
    images = torch.randn(4, 2, 16, 16, requires_grad=True)
    a.augment(images, ONE, draws()).sum().backward()
    assert images.grad is not None and images.grad.abs().sum() > 0


def test_p_rises_on_overfitting_falls_otherwise_and_stays_in_bounds() -> None:
    config = AugmentConfig(adaptive=True, target=0.6, speed_kimg=1.0, most=0.8)
    assert a.adapted(torch.tensor(0.2), torch.tensor(0.9), config, 100).item() == pytest.approx(0.3)
    assert a.adapted(torch.tensor(0.2), torch.tensor(0.1), config, 100).item() == pytest.approx(0.1)
    assert a.adapted(torch.tensor(0.79), torch.tensor(0.9), config, 100).item() == pytest.approx(0.8)
    assert a.adapted(torch.tensor(0.0), torch.tensor(0.1), config, 100).item() == 0.0


def test_processes_draw_the_shares_of_one_stream() -> None:
    whole = Draws.of(5, 7, CPU).normal(6, 2)
    halves = [Draws.of(5, 7, CPU, rank, 2).normal(3, 2) for rank in (0, 1)]
    assert torch.equal(torch.cat(halves), whole)
    assert not torch.equal(Draws.of(5, 8, CPU).normal(6, 2), whole)
    assert not torch.equal(Draws.of(6, 7, CPU).normal(6, 2), whole)
