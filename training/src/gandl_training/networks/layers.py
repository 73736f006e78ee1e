"""The layers of StyleGAN2 (Karras et al. 2020, "Analyzing and Improving the Image Quality of StyleGAN").

This is our own code, written to be fast on CPUs as well as on GPUs:
- Weights are stored at unit variance and multiplied by their He constant in each pass (equalised learning rate, Karras
  et al. 2018, "Progressive Growing of GANs").
- The gain √2 of the leaky ReLU is folded into the layer before it, because lrelu(a·x) = a·lrelu(x) for a > 0.
- A modulated convolution scales its input and its output instead of its weights. The sum is the same, but the weight is
  shared by the batch, so that no grouped convolution is needed.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from gandl_training.networks.activation import SLOPE, biased_leaky_relu, is_fused
from gandl_training.networks.convolution import convolve, convolve_transposed
from gandl_training.networks.resampling import blur, blur_down, fir_kernel


def scaled(parameter: Tensor, gain: float) -> Tensor:
    """Return `parameter` times its gain, or the parameter itself once the gains are folded."""
    return parameter if gain == 1.0 else parameter * gain


class Dense(nn.Module):
    """A fully connected layer [N, inputs] → [N, outputs], with a leaky ReLU of gain √2 if `activate`.

    `rate` scales the learning rate of the layer; it is 0.01 in the mapping network (StyleGAN, Karras et al. 2019).
    """

    def __init__(
        self, inputs: int, outputs: int, *, activate: bool = False, rate: float = 1.0, bias: float = 0.0
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(outputs, inputs) / rate)
        self.bias = nn.Parameter(torch.full((outputs,), bias / rate))
        self.activate = activate
        self.gain = math.sqrt(2) if activate else 1.0
        # He et al. 2015: variance 1 / inputs keeps the variance of the activations, which the gain √2 completes.
        self.weight_gain = self.gain * rate / math.sqrt(inputs)
        self.bias_gain = self.gain * rate

    def forward(self, x: Tensor) -> Tensor:
        y = F.linear(scaled(x, self.weight_gain), self.weight, scaled(self.bias, self.bias_gain))
        return F.leaky_relu(y, SLOPE) if self.activate else y

    def fold(self) -> None:
        """Multiply the gains into the parameters, for serving."""
        _fold_gains(self)


class Conv(nn.Module):
    """A k×k convolution with a leaky ReLU of gain √2 if `activate`; with `down`, low-passed and to half the edge.

    `gain` multiplies the output. In a residual block it is √½, so that the sum of two branches has unit variance.
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
        weight = scaled(self.weight, self.weight_gain)
        bias = None if self.bias is None else scaled(self.bias, self.bias_gain)
        if self.activate and bias is not None and is_fused(x):
            return biased_leaky_relu(self._convolve(x, weight, None), bias)
        y = self._convolve(x, weight, bias)
        return F.leaky_relu(y, SLOPE) if self.activate else y

    def fold(self) -> None:
        """Multiply the gains into the parameters, for serving."""
        _fold_gains(self)

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        size = weight.shape[-1]
        if not self.down:
            return convolve(x, weight, bias, padding=size // 2)
        if size == 1:
            # A 1×1 kernel reads only the pixels that remain, so only those need the low-pass.
            return convolve(blur_down(x, self.kernel), weight, bias)
        # The low-pass comes before the stride, as otherwise high frequencies would alias.
        return convolve(blur(x, self.kernel, padding=2), weight, bias, stride=2)


class ModulatedConv(nn.Module):
    """A convolution whose weights are scaled per image by a style and renormalised (StyleGAN2, section 2.2).

    x [N, inputs, H, W], style [N, S], noise [N, 1, H', W'] → [N, outputs, H', W'], with twice the edge if `up`. Without
    `demodulate` it is the linear 1×1 layer that makes the image: it has no noise and no activation.
    """

    kernel: Tensor

    def __init__(
        self, inputs: int, outputs: int, size: int, style: int, *, up: bool = False, demodulate: bool = True
    ) -> None:
        super().__init__()
        if up and not demodulate:
            raise ValueError("a layer with up=True needs demodulate=True: its bias is added after the demodulation")
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
        # The √2 of the leaky ReLU is part of the demodulation here, and of bias and noise in `_bias_and_noise`.
        y = y * (math.sqrt(2) * self._demodulation(weight, scale))[:, :, None, None].to(y.dtype)
        return F.leaky_relu(y + self._bias_and_noise(noise).to(y.dtype), SLOPE)

    def _bias_and_noise(self, noise: Tensor | None) -> Tensor:
        """Return √2 times bias and noise, [outputs, 1, 1], or [N, outputs, H', W'] with the channels last in memory."""
        bias = math.sqrt(2) * self.bias
        if noise is None or self.noise_strength is None:
            return bias[:, None, None]
        # One matrix product adds noise and bias, and writes the channels last, as the convolutions around it want them.
        strength = (math.sqrt(2) * self.noise_strength).expand(len(bias), 1)
        return F.linear(noise.permute(0, 2, 3, 1), strength, bias).permute(0, 3, 1, 2)

    def _demodulation(self, weight: Tensor, scale: Tensor) -> Tensor:
        """Return 1/‖w·s‖ per image and output map, [N, outputs] in float32 (StyleGAN2, equation 3).

        The style s is the same for all taps k of a kernel, so Σ_k (w·s)² = (Σ_k w²)·s² is one matrix product.
        """
        with torch.autocast(weight.device.type, enabled=False):
            squares = weight.float().square().sum((2, 3))
            return torch.rsqrt(scale.square() @ squares.T + 1e-8)

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        if self.up:
            # Zeros between the pixels leave a quarter of the mean, which the gain of the low-pass restores.
            y = convolve_transposed(x, weight.transpose(0, 1), stride=2)
            return blur(y, self.kernel, padding=1, gain=4.0)
        return convolve(x, weight, bias, padding=weight.shape[-1] // 2)


@torch.no_grad()
def _fold_gains(layer: Dense | Conv) -> None:
    layer.weight.mul_(layer.weight_gain)
    if layer.bias is not None:
        layer.bias.mul_(layer.bias_gain)
    layer.weight_gain = layer.bias_gain = 1.0


def group_size(images: int, group: int) -> int:
    """Return the largest group of at most `group` images that divides a batch of `images`, so that any batch works."""
    return max(g for g in range(1, min(group, images) + 1) if images % g == 0)


def group_stddev(x: Tensor, group: int) -> Tensor:
    """Return the minibatch standard deviation, [N, C, H, W] → [N, 1, 1, 1] float32 (Karras et al. 2018).

    It tells the discriminator how varied the images of a batch are: the standard deviation over a group of consecutive
    images, averaged over maps and pixels. It is equal within a group of `group_size` images.
    """
    n = x.shape[0]
    # A group of consecutive images stays within one process, so that shares of a batch give the same groups.
    size = group_size(n, group)
    y = x.float().reshape(n // size, size, *x.shape[1:])
    variance = (y - y.mean(1, keepdim=True)).square().mean(1)
    stddev = (variance + 1e-8).sqrt().mean(dim=(1, 2, 3))
    return stddev.repeat_interleave(size).reshape(n, 1, 1, 1)
