"""Bias and leaky ReLU in one pass over the maps on a GPU, with derivatives of every order.

The derivative scales each gradient by the slope at its pixel, which the sign of the result tells. It is linear in the
gradient, so its own derivative is the same scaling again.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from gandl_training.networks import resampling

SLOPE = 0.2
"""The slope of the leaky ReLU for negative values."""


def is_fused(x: Tensor) -> bool:
    """Return whether `biased_leaky_relu` takes `x`: where a network trains on a GPU, and Triton is installed."""
    return x.is_cuda and resampling.HAS_TRITON and torch.is_grad_enabled() and x.dtype is not torch.float64


def biased_leaky_relu(x: Tensor, bias: Tensor) -> Tensor:
    """Return lrelu(x + bias) of maps [N, C, H, W] and a bias [C], in the type and layout of `x`."""
    y: Tensor = _BiasedLeakyRelu.apply(x, bias)  # type: ignore[no-untyped-call]
    return y


class _BiasedLeakyRelu(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, bias: Tensor) -> Tensor:
        y: Tensor = _kernels().add_bias(x, bias, SLOPE)
        return y

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # Any: torch gives no type to ctx
        ctx.save_for_backward(output)
        ctx.dtype = inputs[1].dtype

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor]:
        (result,) = ctx.saved_tensors
        scaled: Tensor = _Slope.apply(gradients[0], result)  # type: ignore[no-untyped-call]
        return scaled, scaled.sum((0, 2, 3), dtype=ctx.dtype)


class _Slope(torch.autograd.Function):
    """A gradient times the slope of the leaky ReLU, by the sign of its result."""

    @staticmethod
    def forward(gradient: Tensor, result: Tensor) -> Tensor:
        y: Tensor = _kernels().scale_by_slope(gradient, result, SLOPE)
        return y

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:
        ctx.save_for_backward(inputs[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        (result,) = ctx.saved_tensors
        return _Slope.apply(gradients[0], result), None  # type: ignore[no-untyped-call]


def _kernels() -> Any:  # Any: the module of the kernels, which imports Triton
    from gandl_training.networks import fused_activation  # noqa: PLC0415 - Triton comes with CUDA builds only

    return fused_activation
