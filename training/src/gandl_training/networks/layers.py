"""The layers that StyleGAN2 is made of (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN").

Our own code, written for speed on CPUs as well as GPUs:
- weights are stored at unit variance and multiplied by their He constant in each pass (equalised learning rate);
- the gain √2 of the leaky ReLU is folded into the layer before it (lrelu(a·x) = a·lrelu(x) for a > 0);
- a modulated convolution scales its input and output instead of its weights: the same sum, with one shared weight,
  so the batch needs no grouped convolution;
- a low-pass is symmetric, so its derivative is a low-pass too, and is computed as one.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

SLOPE = 0.2
_TAPS = (1.0, 3.0, 3.0, 1.0)


def fir_kernel() -> Tensor:
    """The separable binomial low-pass [1, 3, 3, 1] ⊗ [1, 3, 3, 1], sum 1, shape [4, 4]."""
    taps = torch.tensor(_TAPS)
    return torch.outer(taps, taps) / taps.sum() ** 2


def blur(x: Tensor, kernel: Tensor, *, padding: int, gain: float = 1.0) -> Tensor:
    """Low-pass each channel of [N, C, H, W] with `kernel` (of `fir_kernel`); H grows by 2·padding − 3."""
    y: Tensor = _Blur.apply(x, kernel, padding, gain)  # type: ignore[no-untyped-call]
    return y


def blur_down(x: Tensor, kernel: Tensor, gain: float = 1.0) -> Tensor:
    """Low-pass and keep every second pixel, [N, C, H, W] → [N, C, H/2, W/2]; H and W are even."""
    y: Tensor = _BlurDown.apply(x, kernel, gain)  # type: ignore[no-untyped-call]
    return y


def blur_up(x: Tensor, kernel: Tensor, gain: float = 4.0) -> Tensor:
    """Put zeros between the pixels and low-pass, [N, C, H, W] → [N, C, 2H, 2W], mean kept."""
    y: Tensor = _BlurUp.apply(x, kernel, gain)  # type: ignore[no-untyped-call]
    return y


class _Resampling(torch.autograd.Function):
    """A low-pass whose derivative is another of these low-passes, so that each derivative of any order runs a forward
    kernel of the library: its backward kernels of depthwise convolutions are 2 to 15 times slower on CPUs. Each runs in
    the type it is given, whatever autocast says."""

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
    def backward(ctx: Any, *slope: Tensor) -> tuple[Tensor, None, None, None]:
        (kernel,), (padding, gain) = ctx.saved_tensors, ctx.rest
        return blur(slope[0], kernel, padding=3 - padding, gain=gain), None, None, None


class _BlurDown(_Resampling):
    @staticmethod
    def forward(x: Tensor, kernel: Tensor, gain: float) -> Tensor:
        with torch.autocast(x.device.type, enabled=False):
            return F.conv2d(x, depthwise(kernel, x, gain), stride=2, padding=1, groups=x.shape[1])

    @staticmethod
    def backward(ctx: Any, *slope: Tensor) -> tuple[Tensor, None, None]:
        (kernel,), (gain,) = ctx.saved_tensors, ctx.rest
        return blur_up(slope[0], kernel, gain), None, None


class _BlurUp(_Resampling):
    @staticmethod
    def forward(x: Tensor, kernel: Tensor, gain: float) -> Tensor:
        channels = x.shape[1]
        with torch.autocast(x.device.type, enabled=False):
            if x.dtype is torch.bfloat16 and x.device.type == "cpu":  # 25 times as fast as the transposed kernel there
                x = F.interpolate(x, scale_factor=2.0)
                return F.conv2d(x, depthwise(_after_repeat(kernel), x, gain), padding=1, groups=channels)
            return F.conv_transpose2d(x, depthwise(kernel, x, gain), stride=2, padding=1, groups=channels)

    @staticmethod
    def backward(ctx: Any, *slope: Tensor) -> tuple[Tensor, None, None]:
        (kernel,), (gain,) = ctx.saved_tensors, ctx.rest
        return blur_down(slope[0], kernel, gain), None, None


def depthwise(kernel: Tensor, x: Tensor, gain: float) -> Tensor:
    """`kernel` times `gain` once for each channel of `x`, as weights of a grouped convolution in its type."""
    return (kernel * gain).to(x.dtype).expand(x.shape[1], 1, *kernel.shape)


def _after_repeat(kernel: Tensor) -> Tensor:
    """The 3×3 kernel that does on repeated pixels what the 4×4 `kernel` does on pixels with zeros between them: taps
    [a, b, b, a] = [1, 1] * [a, b − a, a]."""
    rows = torch.stack([kernel[0], kernel[1] - kernel[0], kernel[3]])
    return torch.stack([rows[:, 0], rows[:, 1] - rows[:, 0], rows[:, 3]], 1)


def scaled(parameter: Tensor, gain: float) -> Tensor:
    """`parameter` times its gain; the parameter itself once gains are folded."""
    return parameter if gain == 1.0 else parameter * gain


class Dense(nn.Module):
    """Fully connected layer [N, inputs] → [N, outputs], leaky ReLU with gain √2 if `activate`.

    `rate` scales the learning rate of the layer (the mapping network learns at 0.01).
    """

    def __init__(
        self, inputs: int, outputs: int, *, activate: bool = False, rate: float = 1.0, bias: float = 0.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.activate = activate
        self.gain = math.sqrt(2) if activate else 1.0
        self.weight_gain = self.gain * rate / math.sqrt(inputs)
        self.bias_gain = self.gain * rate

    def forward(self, x: Tensor) -> Tensor:
        y = F.linear(scaled(x, self.weight_gain), self.weight, scaled(self.bias, self.bias_gain))
        return F.leaky_relu(y, SLOPE) if self.activate else y

    def fold(self) -> None:
        """Multiply the gains into the parameters, for serving."""
        _fold(self)


class Conv(nn.Module):
    """k×k convolution, optionally to half the edge behind a low-pass, leaky ReLU with gain √2 if `activate`.

    `gain` multiplies the output (before the bias-free skip sum of a residual block it is √½).
    """

    kernel: Tensor

    def __init__(
        self,
        inputs: int,
        outputs: int,
        size: int,
        *,
        down: bool = False,
        activate: bool = True,
        bias: bool = True,
        gain: float = 1.0,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.zeros(outputs)) if bias else None
        self.down, self.activate = down, activate
        self.bias_gain = gain * (math.sqrt(2) if activate else 1.0)
        self.weight_gain = self.bias_gain / math.sqrt(inputs * size * size)
        self.register_buffer("kernel", fir_kernel(), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        bias = None if self.bias is None else scaled(self.bias, self.bias_gain)
        y = self._convolve(x, scaled(self.weight, self.weight_gain), bias)
        return F.leaky_relu(y, SLOPE) if self.activate else y

    def fold(self) -> None:
        """Multiply the gains into the parameters, for serving."""
        _fold(self)

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        size = weight.shape[-1]
        if not self.down:
            return F.conv2d(x, weight, bias, padding=size // 2)
        if size == 1:  # a 1×1 kernel looks at the kept pixels only, so only they are low-passed
            return F.conv2d(blur_down(x, self.kernel), weight, bias)
        return F.conv2d(blur(x, self.kernel, padding=2), weight, bias, stride=2)


class ModulatedConv(nn.Module):
    """Convolution whose weights are scaled per image by a style and renormalised (StyleGAN2, section 2.2).

    x [N, inputs, H, W], style [N, S], noise [N, 1, H', W'] → [N, outputs, H', W'], twice the edge if `up`. Without
    `demodulate` it is the linear 1×1 to-image layer: no noise, no activation.
    """

    kernel: Tensor

    def __init__(
        self, inputs: int, outputs: int, size: int, style: int, *, up: bool = False, demodulate: bool = True
    ) -> None:
        super().__init__()
        if up and not demodulate:
            raise ValueError("an upward layer has a bias of its own only behind its demodulation")
        self.weight = nn.Parameter(torch.randn(outputs, inputs, size, size))
        self.bias = nn.Parameter(torch.zeros(outputs))
        self.affine = Dense(style, inputs, bias=1.0)
        self.noise_strength = nn.Parameter(torch.zeros(())) if demodulate else None
        self.up, self.demodulate = up, demodulate
        self.weight_gain = 1.0 / math.sqrt(inputs * size * size)
        self.register_buffer("kernel", fir_kernel(), persistent=False)

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        scale = self.affine(style).float()
        weight = self.weight * self.weight_gain
        x = x * scale[:, :, None, None].to(x.dtype)
        if not self.demodulate:
            return self._convolve(x, weight, self.bias)
        y = self._convolve(x, weight)
        y = y * (math.sqrt(2) * self._demodulation(weight, scale))[:, :, None, None].to(y.dtype)
        return F.leaky_relu(y + self._shift(noise).to(y.dtype), SLOPE)

    def _shift(self, noise: Tensor | None) -> Tensor:
        """Bias and noise, √2 of them: [outputs, 1, 1], or [N, outputs, H', W'] that lies channels last."""
        bias = math.sqrt(2) * self.bias
        if noise is None or self.noise_strength is None:
            return bias[:, None, None]
        strength = (math.sqrt(2) * self.noise_strength).expand(len(bias), 1)
        return F.linear(noise.permute(0, 2, 3, 1), strength, bias).permute(0, 3, 1, 2)

    def _demodulation(self, weight: Tensor, scale: Tensor) -> Tensor:
        """1/‖w·s‖ per image and output map, in float32: Σ_k (w·s)² = (Σ_k w²)·s²."""
        with torch.autocast(weight.device.type, enabled=False):
            squares = weight.float().square().sum((2, 3))
            return torch.rsqrt(scale.square() @ squares.T + 1e-8)

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if self.up:
            y = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            return blur(y, self.kernel, padding=1, gain=4.0)
        return F.conv2d(x, weight, bias, padding=weight.shape[-1] // 2)


@torch.no_grad()
def _fold(layer: Dense | Conv) -> None:
    layer.weight.mul_(layer.weight_gain)
    if layer.bias is not None:
        layer.bias.mul_(layer.bias_gain)
    layer.weight_gain = layer.bias_gain = 1.0


def group_size(images: int, group: int) -> int:
    """The largest group of at most `group` images that divides a batch of `images`, so that any batch works."""
    return max(g for g in range(1, min(group, images) + 1) if images % g == 0)


def group_stddev(x: Tensor, group: int) -> Tensor:
    """How varied a batch is: mean standard deviation over groups of consecutive images (Karras et al. 2018).

    [N, C, H, W] → [N, 1, 1, 1] float32, equal within a group of `group_size` images.
    """
    n = x.shape[0]
    size = group_size(n, group)
    y = x.float().reshape(n // size, size, *x.shape[1:])
    variance = (y - y.mean(1, keepdim=True)).square().mean(1)
    stddev = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return stddev.repeat_interleave(size).reshape(n, 1, 1, 1)
