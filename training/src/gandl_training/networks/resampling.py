"""Low-passes that change the resolution: the same, half or twice the edge (as in StyleGAN2, Karras et al. 2020).

A low-pass is symmetric, so its derivative is a low-pass too, and is computed as one. On a GPU a low-pass is one Triton
kernel, or sums of shifted images where Triton is not installed: the library's depthwise convolutions took 80 % of a
step there. On a CPU the library's convolution is the fastest of the three.
"""

from __future__ import annotations

import importlib.util
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

    A derivative of any order therefore runs a forward kernel, where the library's backward kernels for depthwise
    convolutions are 2 to 15 times slower. Each low-pass computes in the type of its input, also under autocast.
    """

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Any, ...], output: Tensor) -> None:  # Any: torch gives no type to ctx
        _, kernel, *ctx.rest = inputs
        ctx.save_for_backward(kernel)


class _Blur(_Resampling):
    @staticmethod
    def forward(x: Tensor, kernel: Tensor, padding: int, gain: float) -> Tensor:
        return _low_pass(x, kernel, padding=padding, gain=gain)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None, None]:
        (kernel,), (padding, gain) = ctx.saved_tensors, ctx.rest
        return blur(gradients[0], kernel, padding=3 - padding, gain=gain), None, None, None


class _BlurDown(_Resampling):
    @staticmethod
    def forward(x: Tensor, kernel: Tensor, gain: float) -> Tensor:
        return _low_pass(x, kernel, down=2, gain=gain)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (kernel,), (gain,) = ctx.saved_tensors, ctx.rest
        return blur_up(gradients[0], kernel, gain), None, None


class _BlurUp(_Resampling):
    @staticmethod
    def forward(x: Tensor, kernel: Tensor, gain: float) -> Tensor:
        return _low_pass(x, kernel, up=2, gain=gain)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None, None]:
        (kernel,), (gain,) = ctx.saved_tensors, ctx.rest
        return blur_down(gradients[0], kernel, gain), None, None


def _low_pass(x: Tensor, kernel: Tensor, *, up: int = 1, down: int = 1, padding: int = 1, gain: float) -> Tensor:
    if x.device.type != "cuda":
        return library_low_pass(x, kernel, up=up, down=down, padding=padding, gain=gain)
    if HAS_TRITON and x.dtype is not torch.float64:
        from gandl_training.networks import fused_low_pass  # noqa: PLC0415 - Triton comes with CUDA builds only

        return fused_low_pass.low_pass(x, up=up, down=down, padding=padding, gain=gain)
    return shifted_sums(x, up=up, down=down, padding=padding, gain=gain)


HAS_TRITON = importlib.util.find_spec("triton") is not None


def shifted_sums(x: Tensor, *, up: int, down: int, padding: int, gain: float) -> Tensor:
    """Compute a low-pass as sums of shifted images, the rows first and then the columns, in float32 between."""
    y = F.pad(x.float(), (padding,) * 4)
    for axis in (2, 3):
        y = _between(y, axis) if up == 2 else _summed(y, axis, down)
    return (y * (gain / 64)).to(x.dtype)


def _summed(y: Tensor, axis: int, step: int) -> Tensor:
    """Return [1, 3, 3, 1] over one axis, at every `step`-th place."""
    places = y.shape[axis] - 3
    a, b, c, d = (y.narrow(axis, tap, places)[(slice(None),) * axis + (slice(None, None, step),)] for tap in range(4))
    return a + d + 3 * (b + c)


def _between(y: Tensor, axis: int) -> Tensor:
    """Return [1, 3, 3, 1] over one axis with zeros between its values; the first and the last value are padding."""
    places = y.shape[axis] - 2
    before, middle, after = (y.narrow(axis, shift, places) for shift in range(3))
    return torch.stack([3 * middle + before, 3 * middle + after], axis + 1).flatten(axis, axis + 1)


def library_low_pass(x: Tensor, kernel: Tensor, *, up: int, down: int, padding: int, gain: float) -> Tensor:
    """Compute a low-pass as a depthwise convolution of the library."""
    channels = x.shape[1]
    with torch.autocast(x.device.type, enabled=False):
        if up == 1:
            return F.conv2d(x, depthwise(kernel, x, gain), stride=down, padding=padding, groups=channels)
        if x.dtype is torch.bfloat16 and x.device.type == "cpu":
            # In bfloat16 on a CPU the library's transposed kernel takes 25 times as long as this equal form.
            x = F.interpolate(x, scale_factor=2.0)
            return F.conv2d(x, depthwise(_after_repeat(kernel), x, gain), padding=1, groups=channels)
        return F.conv_transpose2d(x, depthwise(kernel, x, gain), stride=2, padding=1, groups=channels)


def depthwise(kernel: Tensor, x: Tensor, gain: float) -> Tensor:
    """Return `kernel` times `gain` for each channel of `x`, as the weights of a grouped convolution in its type."""
    return (kernel * gain).to(x.dtype).expand(x.shape[1], 1, *kernel.shape)


def _after_repeat(kernel: Tensor) -> Tensor:
    """Return the 3×3 kernel that has the effect on repeated pixels that `kernel` has on pixels with zeros between them.

    Repeating a pixel is a convolution with [1, 1], and the taps are [a, b, b, a] = [1, 1] * [a, b − a, a].
    """
    rows = torch.stack([kernel[0], kernel[1] - kernel[0], kernel[3]])
    return torch.stack([rows[:, 0], rows[:, 1] - rows[:, 0], rows[:, 3]], 1)
