"""Low-passes that change the resolution: the same, half or twice the edge (as in StyleGAN2, Karras et al. 2020).

A low-pass is symmetric, so its derivative is a low-pass too, and is computed as one.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

_FILTER_TAPS = (1.0, 3.0, 3.0, 1.0)


def fir_kernel() -> Tensor:
    """Return the separable binomial low-pass [1, 3, 3, 1] ⊗ [1, 3, 3, 1] of sum 1, [4, 4] (Karras et al. 2020)."""
    taps = torch.tensor(_FILTER_TAPS)
    return torch.outer(taps, taps) / taps.sum() ** 2


def blur(x: Tensor, kernel: Tensor, *, padding: int, gain: float = 1.0) -> Tensor:
    """Low-pass each channel of [N, C, H, W] with the `kernel` of `fir_kernel`; H and W grow by 2·padding − 3."""
    y: Tensor = _Blur.apply(x, kernel, padding, gain)  # type: ignore[no-untyped-call]
    return y


def blur_down(x: Tensor, kernel: Tensor, gain: float = 1.0) -> Tensor:
    """Low-pass and keep every second pixel, [N, C, H, W] → [N, C, H/2, W/2]; H and W must be even."""
    y: Tensor = _BlurDown.apply(x, kernel, gain)  # type: ignore[no-untyped-call]
    return y


def blur_up(x: Tensor, kernel: Tensor, gain: float = 4.0) -> Tensor:
    """Put zeros between the pixels and low-pass, [N, C, H, W] → [N, C, 2H, 2W]; a gain of 4 preserves the mean."""
    y: Tensor = _BlurUp.apply(x, kernel, gain)  # type: ignore[no-untyped-call]
    return y


class _Resampling(torch.autograd.Function):
    """A low-pass whose derivative is again one of the low-passes of this module.

    A derivative of any order therefore runs a forward kernel of the library, whose backward kernels for depthwise
    convolutions are 2 to 15 times slower on CPUs. Each low-pass computes in the type of its input, also under autocast.
    """

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # Any: torch gives no type to ctx
        _, kernel, *ctx.rest = inputs
        ctx.save_for_backward(kernel)


class _Blur(_Resampling):
    @staticmethod
    def forward(x: Tensor, kernel: Tensor, padding: int, gain: float) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x, depthwise(kernel, x, gain), padding=padding, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (kernel,), (padding, gain) = ctx.saved_tensors, ctx.rest
        return blur(gradients[0], kernel, padding=3 - padding, gain=gain), None, None, None


class _BlurDown(_Resampling):
    @staticmethod
    def forward(x: Tensor, kernel: Tensor, gain: float) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x, depthwise(kernel, x, gain), stride=2, padding=1, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (kernel,), (gain,) = ctx.saved_tensors, ctx.rest
        return blur_up(gradients[0], kernel, gain), None, None


class _BlurUp(_Resampling):
    @staticmethod
    def forward(x: Tensor, kernel: Tensor, gain: float) -> Tensor:
        channels = x.shape[1]
        with torch.autocast(x.device.type, enabled=False):
            if x.dtype is torch.bfloat16 and x.device.type == "cpu":
                # In bfloat16 on a CPU the library's transposed kernel takes 25 times as long as this equal form.
                x = F.interpolate(x, scale_factor=2.0)
                return F.conv2d(x, depthwise(_after_repeat(kernel), x, gain), padding=1, groups=channels)
            return F.conv_transpose2d(x, depthwise(kernel, x, gain), stride=2, padding=1, groups=channels)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (kernel,), (gain,) = ctx.saved_tensors, ctx.rest
        return blur_down(gradients[0], kernel, gain), None, None


def depthwise(kernel: Tensor, x: Tensor, gain: float) -> Tensor:
    """Return `kernel` times `gain` for each channel of `x`, as the weights of a grouped convolution in its type."""
    return (kernel * gain).to(x.dtype).expand(x.shape[1], 1, *kernel.shape)


def _after_repeat(kernel: Tensor) -> Tensor:
    """Return the 3×3 kernel that has the effect on repeated pixels that `kernel` has on pixels with zeros between them.

    Repeating a pixel is a convolution with [1, 1], and the taps are [a, b, b, a] = [1, 1] * [a, b − a, a].
    """
    rows = torch.stack([kernel[0], kernel[1] - kernel[0], kernel[3]])
    return torch.stack([rows[:, 0], rows[:, 1] - rows[:, 0], rows[:, 3]], 1)
