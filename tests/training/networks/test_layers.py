"""The layers against the plain definitions that they compute in a faster form."""

from __future__ import annotations

import pytest
import torch
from gandl_training.networks.layers import Conv, Dense, ModulatedConv, group_stddev
from gandl_training.networks.resampling import fir_kernel
from torch.nn import functional as F


def test_modulated_convolution_is_the_one_with_modulated_weights() -> None:
    layer = ModulatedConv(6, 4, 3, 8)
    x, style, noise = torch.randn(5, 6, 7, 7), torch.randn(5, 8), torch.randn(5, 1, 7, 7)
    torch.nn.init.normal_(layer.bias)
    torch.nn.init.constant_(layer.noise_strength, 0.3)
    scale = layer.affine(style)
    for i in range(5):
        weight = layer.weight * layer.weight_gain * scale[i, :, None, None]
        weight = weight / (weight.square().sum((1, 2, 3), keepdim=True) + 1e-8).sqrt()
        plain = F.conv2d(x[i : i + 1], weight, padding=1) + layer.bias[:, None, None]
        for noise_map, expected in ((None, plain), (noise, plain + 0.3 * noise[i])):
            y = layer(x, style, noise_map)[i : i + 1]
            torch.testing.assert_close(y, F.leaky_relu(expected, 0.2) * 2**0.5, rtol=1e-5, atol=1e-5)


def test_a_modulated_convolution_upwards_is_one_on_pixels_with_zeros_between() -> None:
    """The textbook's order: zeros between the pixels, the convolution with modulated weights, the low-pass, gain 4."""
    layer = ModulatedConv(3, 2, 3, 8, up=True)
    x, style = torch.randn(2, 3, 6, 6), torch.randn(2, 8)
    weight = layer.weight * layer.weight_gain * layer.affine(style)[:, None, :, None, None]
    weight = weight / (weight.square().sum((2, 3, 4), keepdim=True) + 1e-8).sqrt()
    apart = torch.zeros(2, 3, 11, 11)
    apart[..., ::2, ::2] = x
    for i in range(2):
        wide = F.conv2d(apart[i : i + 1], weight[i].flip(2, 3), padding=2)
        low = 4 * F.conv2d(wide, fir_kernel().expand(2, 1, 4, 4), padding=1, groups=2)
        torch.testing.assert_close(layer(x, style)[i : i + 1], F.leaky_relu(low, 0.2) * 2**0.5)
    with pytest.raises(ValueError, match="demodulation"):
        ModulatedConv(3, 2, 1, 8, up=True, demodulate=False)


def test_demodulated_output_has_unit_variance() -> None:
    torch.manual_seed(0)
    layer = ModulatedConv(64, 64, 3, 8)
    y = layer._convolve(torch.randn(8, 64, 32, 32) * 5.0, layer.weight * layer.weight_gain)
    demodulated = y * layer._demodulation(layer.weight * layer.weight_gain, torch.full((8, 64), 1.0))[:, :, None, None]
    assert demodulated.std().item() == pytest.approx(5.0, rel=0.05)


def test_up_doubles_the_edge() -> None:
    layer = ModulatedConv(3, 3, 3, 4, up=True)
    assert layer(torch.randn(2, 3, 8, 8), torch.randn(2, 4)).shape == (2, 3, 16, 16)


def test_both_ways_down_are_aligned() -> None:
    """The 3×3 path and the 1×1 skip of a block must look at the same place: a ramp stays a ramp, without offset."""
    ramp = torch.arange(32.0).expand(1, 1, 32, 32)
    skip, main = Conv(1, 1, 1, down=True, activate=False), Conv(1, 1, 3, down=True, activate=False)
    with torch.no_grad():
        skip.weight.fill_(1.0)
        main.weight.zero_()[..., 1, 1] = 3.0
    inner = slice(4, -4)
    assert torch.allclose(skip(ramp)[..., inner, inner], main(ramp)[..., inner, inner], atol=1e-4)
    assert torch.allclose(skip(ramp)[0, 0, 5, inner], ramp[0, 0, 0, ::2][inner] + 0.5, atol=1e-4)


@pytest.mark.parametrize("layer", [Conv(3, 5, 3, down=True, gain=0.7), Dense(3, 5, activate=True, rate=0.01, bias=1.0)])
def test_folding_gains_changes_nothing(layer: Conv | Dense) -> None:
    x = torch.randn(4, 3, 8, 8) if isinstance(layer, Conv) else torch.randn(4, 3)
    before = layer(x)
    layer.fold()
    assert torch.allclose(layer(x), before, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("images", [1, 2, 3, 4, 6, 7, 8])
def test_group_stddev_takes_any_batch(images: int) -> None:
    x = torch.randn(images, 3, 4, 4)
    stddev = group_stddev(x, 4)
    assert stddev.shape == (images, 1, 1, 1)
    assert torch.isfinite(stddev).all()
    if images == 8:
        expected = x[4:].std(dim=0, correction=0).mean()
        assert stddev[4:].flatten().tolist() == pytest.approx([expected.item()] * 4, rel=1e-5)
