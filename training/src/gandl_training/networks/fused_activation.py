"""The kernels of `activation` in Triton, for CUDA: one read of each operand and one write of every value.

Set TRITON_INTERPRET=1 before the first import to run the kernels on a CPU, as the tests do.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch
import triton  # type: ignore[import-untyped]
import triton.language as tl  # type: ignore[import-untyped]
from torch import Tensor

BLOCK = 1024
"""The values that one program computes."""


def add_bias(x: Tensor, bias: Tensor, slope: float) -> Tensor:
    """Return lrelu(x + bias) of maps [N, C, H, W] and a bias [C], in the type and layout of `x`."""
    x = _dense(x)
    channels, inner = _geometry(x)
    y = torch.empty_like(x)
    _run(x, bias.contiguous(), y, slope, channels, inner, by_slope=False)
    return y


def scale_by_slope(gradient: Tensor, result: Tensor, slope: float) -> Tensor:
    """Return `gradient` where `result` is above 0, and `slope` times it elsewhere, in the layout of `result`."""
    y = torch.empty_like(result, dtype=gradient.dtype)
    if gradient.stride() != result.stride():
        gradient = torch.empty_like(result, dtype=gradient.dtype).copy_(gradient)
    _run(gradient, result, y, slope, 1, 1, by_slope=True)
    return y


def _dense(x: Tensor) -> Tensor:
    return x if x.is_contiguous(memory_format=torch.channels_last) else x.contiguous()


def _geometry(x: Tensor) -> tuple[int, int]:
    """Return the number of channels, and how many values of one channel lie beside each other."""
    channels = x.shape[1]
    # Maps of one pixel or one channel are contiguous in both layouts, and both readings of them are right.
    return channels, x.shape[2] * x.shape[3] if x.is_contiguous() else 1


def _run(x: Tensor, other: Tensor, y: Tensor, slope: float, channels: int, inner: int, *, by_slope: bool) -> None:
    count = x.numel()
    with torch.cuda.device(x.device) if x.is_cuda else nullcontext():
        _activate[(triton.cdiv(count, BLOCK),)](
            x, other, y, slope, count, channels, inner, BY_SLOPE=by_slope, BLOCK=BLOCK
        )


@triton.jit  # type: ignore[untyped-decorator]
def _activate(  # type: ignore[no-untyped-def]
    x, other, y, slope, count, channels, inner, BY_SLOPE: tl.constexpr, BLOCK: tl.constexpr
):  # fmt: skip
    """Compute BLOCK values: x times the slope by the sign of `other`, or the leaky ReLU of x and the bias `other`."""
    # Offsets of large batches pass 2³¹, so the start of a block is counted in 64 bits.
    start = tl.program_id(0).to(tl.int64) * BLOCK
    lane = tl.arange(0, BLOCK)
    inside = lane < count - start
    value = tl.load(x + start + lane, mask=inside, other=0.0).to(tl.float32)
    if BY_SLOPE:
        sign = tl.load(other + start + lane, mask=inside, other=0.0).to(tl.float32)
    else:
        channel = ((start % (channels * inner)).to(tl.int32) + lane) // inner % channels
        value += tl.load(other + channel, mask=inside, other=0.0).to(tl.float32)
        sign = value
    value = tl.where(sign > 0, value, slope * value)
    tl.store(y + start + lane, value.to(y.dtype.element_ty), mask=inside)
