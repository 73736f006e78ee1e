"""The low-passes against plain correlations, and their derivatives against finite differences."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from gandl_training.networks.resampling import blur, blur_down, blur_up, fir_kernel
from torch.nn import functional as F


def test_a_constant_stays_constant_inside() -> None:
    constant = torch.ones(1, 2, 8, 8)
    assert torch.allclose(blur_up(constant, fir_kernel())[..., 2:-2, 2:-2], torch.ones(1), atol=1e-6)
    assert torch.allclose(blur(constant, fir_kernel(), padding=1)[..., 2:-2, 2:-2], torch.ones(1), atol=1e-6)


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_low_passes_are_the_textbooks(dtype: torch.dtype) -> None:
    """Against a plain correlation with the kernel: all of it, every second pixel, and of pixels with zeros between."""
    kernel, x = fir_kernel(), torch.randn(2, 3, 16, 16).to(dtype)

    def plain(x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x.float(), kernel.expand(3, 1, 4, 4), padding=2, groups=3)

    apart = torch.zeros(2, 3, 33, 33)
    apart[..., 1::2, 1::2] = x.float()
    tolerance = {"rtol": 0.0, "atol": 1e-6 if dtype is torch.float32 else 0.03}
    torch.testing.assert_close(blur(x, kernel, padding=2).float(), plain(x), **tolerance)
    torch.testing.assert_close(blur_down(x, kernel).float(), plain(x)[..., 1::2, 1::2], **tolerance)
    torch.testing.assert_close(blur_up(x, kernel).float(), 4 * plain(apart)[..., 1:-1, 1:-1], **tolerance)


def test_autocast_leaves_a_low_pass_in_the_type_it_is_given() -> None:
    x = torch.randn(1, 2, 8, 8)
    with torch.autocast("cpu", torch.bfloat16):
        assert [f(x, fir_kernel()).dtype for f in (blur_down, blur_up)] == [torch.float32] * 2
        assert blur(x, fir_kernel(), padding=2).dtype is torch.float32


@pytest.mark.parametrize(
    "low_pass",
    [
        lambda x, kernel: blur(x, kernel, padding=2),
        lambda x, kernel: blur(x, kernel, padding=1, gain=4.0),
        blur_down,
        blur_up,
    ],
)
def test_derivatives_of_low_passes_are_those_of_finite_differences(
    low_pass: Callable[[torch.Tensor, torch.Tensor], torch.Tensor],
) -> None:
    kernel, x = fir_kernel().double(), torch.randn(2, 2, 6, 6, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: low_pass(x, kernel), x)
    assert torch.autograd.gradgradcheck(lambda x: low_pass(x, kernel), x)


@pytest.mark.parametrize("edge", [8, 16])
def test_a_slope_in_bf16_is_the_one_in_float32(edge: int) -> None:
    kernel, x = fir_kernel(), torch.randn(2, 3, edge, edge, requires_grad=True)
    weights = torch.randn(2, 3, edge // 2, edge // 2)
    (exact,) = torch.autograd.grad((blur_down(x, kernel) * weights).sum(), x)
    (rough,) = torch.autograd.grad((blur_down(x.bfloat16(), kernel) * weights).sum(), x)
    torch.testing.assert_close(rough, exact, rtol=0.0, atol=0.03)
