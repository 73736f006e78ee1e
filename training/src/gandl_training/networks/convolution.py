"""Convolutions that can be differentiated twice at the speed of a forward pass on a GPU.

The library computes the second derivative of a convolution by its weights as a convolution whose kernel is as large as
the image; on a GPU such a call took 30 ms, as long as the rest of a step. Here each derivative is again a convolution,
a transposed one or a gradient by weights, so that every order runs the library's ordinary kernels (the idea is that of
StyleGAN2-ADA's code, Karras et al. 2020). On a CPU the library's own derivatives are the faster ones, and are used.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional as F


class Geometry(NamedTuple):
    """What a convolution is, besides its operands."""

    transposed: bool
    stride: int
    padding: int
    output_padding: tuple[int, int] = (0, 0)


def convolve(x: Tensor, weight: Tensor, bias: Tensor | None = None, *, stride: int = 1, padding: int = 0) -> Tensor:
    """Return the convolution of [N, I, H, W] with `weight` [O, I, K, K], as `torch.nn.functional.conv2d` does."""
    if x.device.type == "cpu" or not torch.is_grad_enabled():
        return F.conv2d(x, weight, bias, stride, padding)
    y = twice_differentiable(x, weight, Geometry(transposed=False, stride=stride, padding=padding))
    return y if bias is None else y + bias.to(y.dtype)[:, None, None]


def convolve_transposed(x: Tensor, weight: Tensor, *, stride: int) -> Tensor:
    """Return the transposed convolution of [N, I, H, W] with `weight` [I, O, K, K] and no padding."""
    if x.device.type == "cpu" or not torch.is_grad_enabled():
        return F.conv_transpose2d(x, weight, stride=stride)
    return twice_differentiable(x, weight, Geometry(transposed=True, stride=stride, padding=0))


def twice_differentiable(x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
    """Return the convolution of that geometry, in the type that autocast asks for."""
    kind = x.device.type
    if torch.is_autocast_enabled(kind):
        # Autocast does not look inside a function of our own, so its types are chosen here.
        dtype = torch.get_autocast_dtype(kind)
        x, weight = x.to(dtype), weight.to(dtype)
    y: Tensor = _Convolution.apply(x, weight, geometry)  # type: ignore[no-untyped-call]
    return y


def _adjoint(geometry: Geometry, source: torch.Size, result: torch.Size, kernel: torch.Size) -> Geometry:
    """Return the convolution that maps gradients of a result back to its source, of exactly that size."""
    _, stride, padding, _ = geometry
    if geometry.transposed:
        return Geometry(transposed=False, stride=stride, padding=padding)
    rows, columns = (source[i] - ((result[i] - 1) * stride - 2 * padding + kernel[i]) for i in (2, 3))
    return Geometry(transposed=True, stride=stride, padding=padding, output_padding=(rows, columns))


class _Convolution(torch.autograd.Function):
    @staticmethod
    def forward(x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
        transposed, stride, padding, output_padding = geometry
        with torch.autocast(x.device.type, enabled=False):
            return torch.convolution(
                x, weight, None, (stride, stride), (padding, padding), (1, 1), transposed, output_padding, 1
            )

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # Any: torch gives no type to ctx
        x, weight, ctx.geometry = inputs
        ctx.save_for_backward(x, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        (x, weight), geometry, (gradient,) = ctx.saved_tensors, ctx.geometry, gradients
        by_source = by_weight = None
        if ctx.needs_input_grad[0]:
            back = _adjoint(geometry, x.shape, gradient.shape, weight.shape)
            by_source = _Convolution.apply(gradient, weight, back)  # type: ignore[no-untyped-call]
        if ctx.needs_input_grad[1]:
            by_weight = _WeightGradient.apply(gradient, x, weight, geometry)  # type: ignore[no-untyped-call]
        return by_source, by_weight, None


class _WeightGradient(torch.autograd.Function):
    """The gradient of a convolution by its weight. It is linear in the gradient of the result and in the source."""

    @staticmethod
    def forward(gradient: Tensor, x: Tensor, weight: Tensor, geometry: Geometry) -> Tensor:
        transposed, stride, padding, output_padding = geometry
        with torch.autocast(x.device.type, enabled=False):
            result: Tensor = torch.ops.aten.convolution_backward(
                gradient, x, weight, None, (stride, stride), (padding, padding), (1, 1), transposed, output_padding, 1,
                (False, True, False),
            )[1]  # fmt: skip
        return result

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # Any: torch gives no type to ctx
        gradient, x, _, ctx.geometry = inputs
        ctx.save_for_backward(gradient, x)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None, None]:
        (gradient, x), geometry, (by_weight,) = ctx.saved_tensors, ctx.geometry, gradients
        by_gradient = by_source = None
        if ctx.needs_input_grad[0]:
            by_gradient = _Convolution.apply(x, by_weight, geometry)  # type: ignore[no-untyped-call]
        if ctx.needs_input_grad[1]:
            back = _adjoint(geometry, x.shape, gradient.shape, by_weight.shape)
            by_source = _Convolution.apply(gradient, by_weight, back)  # type: ignore[no-untyped-call]
        return by_gradient, by_source, None, None
