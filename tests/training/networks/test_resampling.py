"""The low-passes against plain correlations, and their derivatives against finite differences; GPU forms on the CPU."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
import torch
from gandl_training.networks import resampling
from gandl_training.networks.resampling import blur, blur_down, blur_up, fir_kernel, library_low_pass, shifted_sums
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


FORMS = [{"padding": 2}, {"padding": 1}, {"up": 2}, {"down": 2}]
"""The low-passes of the networks: before a stride, after upsampling, and those that change the resolution."""
ONCE = {"up": 1, "down": 1, "padding": 1, "gain": 1.5}
LAYOUTS = [torch.contiguous_format, torch.channels_last]


@pytest.fixture
def fused(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The Triton kernels, which Triton's interpreter runs on the CPU."""
    pytest.importorskip("triton", reason="Triton is made for Linux on x86-64 and ARM only")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    name = "gandl_training.networks.fused_low_pass"
    monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module(name)
    monkeypatch.setattr(module, "BLOCK", 16)
    yield module
    sys.modules.pop(name)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", FORMS)
def test_sums_of_shifted_images_are_the_low_passes(form: dict[str, int], layout: torch.memory_format) -> None:
    x = torch.randn(2, 3, 6, 10).contiguous(memory_format=layout)
    for kind in (torch.float32, torch.bfloat16):
        expected = library_low_pass(x.to(kind), fir_kernel(), **ONCE | form)
        torch.testing.assert_close(shifted_sums(x.to(kind), **ONCE | form), expected, rtol=1e-2, atol=1e-6)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", FORMS)
def test_the_fused_kernels_are_the_low_passes(
    fused: ModuleType, form: dict[str, int], layout: torch.memory_format
) -> None:
    """Of images whose rows and columns fill no whole block."""
    for x in (torch.randn(1, 3, 10, 6), torch.randn(1, 2, 4, 8).bfloat16()):
        image = x.contiguous(memory_format=layout)
        ours, expected = fused.low_pass(image, **ONCE | form), library_low_pass(image, fir_kernel(), **ONCE | form)
        assert ours.stride() == expected.stride()
        torch.testing.assert_close(ours, expected, rtol=1e-2, atol=1e-6 if x.dtype is torch.float32 else 1e-2)


@pytest.mark.parametrize(
    "low_pass",
    [
        lambda x: blur(x, fir_kernel(), padding=2),
        lambda x: blur_down(x, fir_kernel()),
        lambda x: blur_up(x, fir_kernel()),
    ],
)
def test_derivatives_through_fused_kernels_are_those_of_the_library(
    fused: ModuleType, monkeypatch: pytest.MonkeyPatch, low_pass: Callable[[torch.Tensor], torch.Tensor]
) -> None:
    """Of a cubic, whose second derivative needs the low-pass, its derivative and the derivative of that."""

    def slopes(x: torch.Tensor) -> list[torch.Tensor]:
        (first,) = torch.autograd.grad(low_pass(x).pow(3).sum(), x, create_graph=True)
        return [first, *torch.autograd.grad(first.square().sum(), x)]

    x = torch.randn(1, 1, 4, 6, requires_grad=True)
    expected = slopes(x)
    calls = []

    def by_kernel(x: torch.Tensor, _: torch.Tensor, **form: float) -> torch.Tensor:
        calls.append(form)
        return fused.low_pass(x, **ONCE | form)

    monkeypatch.setattr(resampling, "_low_pass", by_kernel)
    torch.testing.assert_close(slopes(x), expected, rtol=1e-4, atol=1e-4)
    assert len(calls) >= 4
