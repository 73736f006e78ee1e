"""The low-passes of `resampling` as one Triton kernel each, for CUDA: one read and one write of every pixel.

Triton comes with the CUDA builds of torch for Linux. Set TRITON_INTERPRET=1 before the first import to run the kernels
on a CPU, as the tests do.
"""

from __future__ import annotations

from contextlib import nullcontext

import torch
import triton  # type: ignore[import-untyped]
import triton.language as tl  # type: ignore[import-untyped]
from torch import Tensor

ROWS = 8
"""The rows of the result that one program computes. It must be even, because a row between two others needs both."""
BLOCK = 512
"""The values of each row that one program computes."""


def low_pass(x: Tensor, *, up: int, down: int, padding: int, gain: float) -> Tensor:
    """Low-pass [N, C, H, W] with [1, 3, 3, 1] ⊗ [1, 3, 3, 1] / 64 and `gain`; return it in the type and layout of `x`.

    Where `up` is 2, zeros stand between the pixels; where `down` is 2, every second pixel is kept. `padding` zeros
    lie before the first pixel. Only the three low-passes of `resampling` exist: neither up nor down with any padding,
    and up or down with a padding of 1.
    """
    last = x.is_contiguous(memory_format=torch.channels_last) and not x.is_contiguous()
    x = x if last else x.contiguous()
    images, channels, height, width = x.shape
    if up == 2 or down == 2:
        size = (height * up // down, width * up // down)
    else:
        size = (height + 2 * padding - 3, width + 2 * padding - 3)
    layout = torch.channels_last if last else torch.contiguous_format
    y = torch.empty((images, channels, *size), dtype=x.dtype, device=x.device, memory_format=layout)
    # With channels last, neighbours in a row lie `channels` values apart; otherwise every channel is an image.
    inner, outer = (channels, images) if last else (1, images * channels)
    blocks = triton.cdiv(size[1] * inner, BLOCK)
    programs = blocks * triton.cdiv(size[0], ROWS) * outer
    with torch.cuda.device(x.device) if x.is_cuda else nullcontext():
        _low_pass[(programs,)](
            x,
            y,
            gain / 64,
            height,
            width,
            *size,
            inner,
            blocks,
            UP=up,
            DOWN=down,
            PADDING=padding,
            ROWS=ROWS,
            BLOCK=BLOCK,
        )
    return y


@triton.jit  # type: ignore[untyped-decorator]
def _row(  # type: ignore[no-untyped-def]
    x, n, height, width, inner, position, end, UP: tl.constexpr, DOWN: tl.constexpr, PADDING: tl.constexpr
):  # fmt: skip
    """Return row `n` of the image at `x`, low-passed along its columns, at `position` in the rows of the result, which
    end at `end`; 0 where the image has no such row."""
    column, lane = position // inner, position % inner
    inside = position < tl.where((n >= 0) & (n < height), end, 0)
    start = x + n * width * inner + lane
    if UP == 2:
        # Of the four taps two meet zeros. A column on a pixel sees 3·pixel + the one before; a column between two
        # pixels sees 3·the one before + the one after.
        near = column // 2
        far = near - 1 + 2 * (column % 2)
        y = 3.0 * tl.load(start + near * inner, mask=inside, other=0.0).to(tl.float32)
        return y + tl.load(start + far * inner, mask=inside & (far >= 0) & (far < width), other=0.0).to(tl.float32)
    else:  # noqa: RET505 - Triton compiles only the branch that UP chooses
        first = column * DOWN - PADDING
        y = tl.full(position.shape, 0.0, tl.float32)
        for tap in tl.static_range(4):
            at = first + tap
            pixel = tl.load(start + at * inner, mask=inside & (at >= 0) & (at < width), other=0.0).to(tl.float32)
            y += pixel if tap % 3 == 0 else 3.0 * pixel
        return y


@triton.jit
def _store(y, row, out_height, position, end, values):  # type: ignore[no-untyped-def]
    inside = position < tl.where(row < out_height, end, 0)
    tl.store(y + row * end + position, values.to(y.dtype.element_ty), mask=inside)


@triton.jit  # type: ignore[untyped-decorator]
def _low_pass(  # type: ignore[no-untyped-def]
    x, y, gain, height, width, out_height, out_width, inner, blocks,
    UP: tl.constexpr, DOWN: tl.constexpr, PADDING: tl.constexpr, ROWS: tl.constexpr, BLOCK: tl.constexpr,
):  # fmt: skip
    """Compute ROWS rows × BLOCK values of one image; the rows of the source pass through a window in registers."""
    program = tl.program_id(0)
    position = program % blocks * BLOCK + tl.arange(0, BLOCK)
    strips = (out_height + ROWS - 1) // ROWS
    top = program // blocks % strips * ROWS
    # Offsets of whole images pass 2³¹ in large batches, so they are counted in 64 bits.
    image = (program // blocks // strips).to(tl.int64)
    end = out_width * inner
    x += image * height * width * inner
    y += image * out_height * end
    if UP == 2:
        # The rows m − 1, m and m + 1 of the source give the rows 2m and 2m + 1.
        m = top // 2
        before = _row(x, m - 1, height, width, inner, position, end, UP, DOWN, PADDING)
        middle = _row(x, m, height, width, inner, position, end, UP, DOWN, PADDING)
        for i in tl.static_range(ROWS // 2):
            after = _row(x, m + i + 1, height, width, inner, position, end, UP, DOWN, PADDING)
            _store(y, top + 2 * i, out_height, position, end, gain * (3.0 * middle + before))
            _store(y, top + 2 * i + 1, out_height, position, end, gain * (3.0 * middle + after))
            before = middle
            middle = after
    else:
        n = top * DOWN - PADDING
        a = _row(x, n, height, width, inner, position, end, UP, DOWN, PADDING)
        b = _row(x, n + 1, height, width, inner, position, end, UP, DOWN, PADDING)
        c = _row(x, n + 2, height, width, inner, position, end, UP, DOWN, PADDING)
        for i in tl.static_range(ROWS):
            d = _row(x, n + DOWN * i + 3, height, width, inner, position, end, UP, DOWN, PADDING)
            _store(y, top + i, out_height, position, end, gain * (a + 3.0 * b + 3.0 * c + d))
            if DOWN == 2:
                a, b, c = c, d, _row(x, n + DOWN * i + 4, height, width, inner, position, end, UP, DOWN, PADDING)
            else:
                a, b, c = b, c, d
