"""The layers that StyleGAN2 is made of (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN").

Our own code, written for speed on CPUs as well as GPUs:
- weights are stored at unit variance and multiplied by their He constant in each pass (equalised learning rate);
- the gain √2 of the leaky ReLU is folded into the layer before it (lrelu(a·x) = a·lrelu(x) for a > 0);
- a modulated convolution scales its input and output instead of its weights: the same sum, with one shared weight,
  so the batch needs no grouped convolution.
"""

from __future__ import annotations

import math

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
    """Low-pass each channel of [N, C, H, W] with the 4×4 `kernel`; H grows by 2·padding − 3."""
    channels = x.shape[1]
    weight = (kernel * gain).to(x.dtype).expand(channels, 1, 4, 4)
    return F.conv2d(x, weight, padding=padding, groups=channels)


def blur_down(x: Tensor, kernel: Tensor) -> Tensor:
    """Low-pass and keep every second pixel, [N, C, H, W] → [N, C, H/2, W/2]."""
    if x.dtype is torch.bfloat16:  # the strided depthwise kernel of oneDNN is 15 times slower here than dense + slice
        return blur(F.pad(x, (1, 1, 1, 1)), kernel, padding=0)[:, :, ::2, ::2]
    channels = x.shape[1]
    return F.conv2d(x, kernel.to(x.dtype).expand(channels, 1, 4, 4), stride=2, padding=1, groups=channels)


def blur_up(x: Tensor, kernel: Tensor) -> Tensor:
    """Put zeros between the pixels and low-pass, [N, C, H, W] → [N, C, 2H, 2W], mean kept."""
    channels = x.shape[1]
    weight = (4 * kernel).to(x.dtype).expand(channels, 1, 4, 4)
    return F.conv_transpose2d(x, weight, stride=2, padding=1, groups=channels)


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
        y = F.linear(x, scaled(self.weight, self.weight_gain), scaled(self.bias, self.bias_gain))
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
        y = self._convolve(x * scale[:, :, None, None].to(x.dtype), weight)
        if not self.demodulate:
            return y + self.bias[:, None, None].to(y.dtype)
        y = y * self._demodulation(weight, scale)[:, :, None, None].to(y.dtype)
        if noise is not None and self.noise_strength is not None:
            y = y + (noise * self.noise_strength).to(y.dtype)
        return F.leaky_relu(y + self.bias[:, None, None].to(y.dtype), SLOPE) * math.sqrt(2)

    def _demodulation(self, weight: Tensor, scale: Tensor) -> Tensor:
        """1/‖w·s‖ per image and output map, in float32: Σ_k (w·s)² = (Σ_k w²)·s²."""
        with torch.autocast(weight.device.type, enabled=False):
            squares = weight.float().square().sum((2, 3))
            return torch.rsqrt(scale.square() @ squares.T + 1e-8)

    def _convolve(self, x: Tensor, weight: Tensor) -> Tensor:
        if self.up:
            y = F.conv_transpose2d(x, weight.transpose(0, 1), stride=2)
            return blur(y, self.kernel, padding=1, gain=4.0)
        return F.conv2d(x, weight, padding=weight.shape[-1] // 2)


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
    stddev = (y.var(dim=1, correction=0) + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return stddev.repeat_interleave(size).reshape(n, 1, 1, 1)
