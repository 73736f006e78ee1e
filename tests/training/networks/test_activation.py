"""Bias and leaky ReLU in one kernel, which Triton's interpreter runs on the CPU, against the layers of the library."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from types import ModuleType

import pytest
import torch
from gandl_training.networks import activation
from gandl_training.networks.activation import SLOPE, biased_leaky_relu
from torch import Tensor
from torch.nn import functional as F

LAYOUTS = (torch.contiguous_format, torch.channels_last)


@pytest.fixture
def kernels(monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    pytest.importorskip("triton", reason="Triton is made for Linux on x86-64 and ARM only")
    monkeypatch.setenv("TRITON_INTERPRET", "1")
    name = "gandl_training.networks.fused_activation"
    monkeypatch.delitem(sys.modules, name, raising=False)
    module = importlib.import_module(name)
    monkeypatch.setattr(module, "BLOCK", 64)
    monkeypatch.setattr(activation, "_kernels", lambda: module)
    yield module
    sys.modules.pop(name)


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_the_kernel_is_the_leaky_relu_of_the_sum(kind: torch.dtype, layout: torch.memory_format) -> None:
    """Of maps that fill no whole block."""
    x, bias = torch.randn(2, 3, 5, 7).to(kind).contiguous(memory_format=layout), torch.randn(3)
    ours, expected = biased_leaky_relu(x, bias), F.leaky_relu(x.float() + bias[:, None, None], SLOPE).to(kind)
    assert ours.stride() == expected.stride()
    torch.testing.assert_close(ours, expected)


@pytest.mark.usefixtures("kernels")
@pytest.mark.parametrize("layout", LAYOUTS)
def test_derivatives_of_both_orders_are_those_of_the_library(layout: torch.memory_format) -> None:
    """A cubic gives every order something to differentiate; R1 needs the slope by the maps and then by the bias."""

    def slopes(layer: Callable[[Tensor, Tensor], Tensor], x: Tensor, bias: Tensor) -> list[Tensor]:
        first = torch.autograd.grad(layer(x, bias).pow(3).sum(), (x, bias), create_graph=True)
        second = torch.autograd.grad(sum(each.square().sum() for each in first), (x, bias))
        return [*first, *second]

    x = torch.randn(2, 3, 4, 4).contiguous(memory_format=layout).requires_grad_()
    bias = torch.randn(3, requires_grad=True)
    expected = slopes(lambda maps, b: F.leaky_relu(maps + b[:, None, None], SLOPE), x, bias)
    for ours, theirs in zip(slopes(biased_leaky_relu, x, bias), expected, strict=True):
        torch.testing.assert_close(ours, theirs, rtol=1e-4, atol=1e-4)
