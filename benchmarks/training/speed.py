"""Measure the speed of a training step, as ratios in one run: ours against a plain one, and the cost of each term.

    python -m benchmarks.training.speed --page docs/training.md

The plain step is the same training as a textbook writes it: float32, default memory layout, weights of modulated
convolutions computed per image (grouped convolutions), skips low-passed at every pixel, derivatives of low-passes by
the library, images generated once per network and scored apart from the real ones, and Adam one tensor at a time. Each
row of the table changes one of these. The variants take turns round by round, so that other work on the machine slows
all of them alike; the best round of each counts. `benchmarks.gpu.speed` times the presets on a GPU.
"""

from __future__ import annotations

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from unittest.mock import patch

import torch
from gandl_training.config import LossConfig, TrainConfig, preset, with_input
from gandl_training.networks import layers
from gandl_training.networks import stylegan2 as networks
from gandl_training.networks.layers import SLOPE, Conv, ModulatedConv
from gandl_training.networks.resampling import blur, depthwise
from gandl_training.networks.stylegan2 import Discriminator
from gandl_training.process_group import process_device
from gandl_training.steps.random_numbers import StepRandom
from gandl_training.steps.step import Trainer
from torch import Tensor, nn
from torch.nn import functional as F
from torch.profiler import ProfilerActivity, profile
from torch.utils.flop_counter import FlopCounterMode

from benchmarks.tables import write_between

ROUNDS, WARM_UP = 20, 2


class TextbookModulated(ModulatedConv):
    """The same layer with its own weights for each image, as the StyleGAN2 paper writes it."""

    def forward(self, x: Tensor, style: Tensor, noise: Tensor | None = None) -> Tensor:
        n, _, height, width = x.shape
        scale = self.affine(style)[:, None, :, None, None]
        weight = self.weight[None] * self.weight_gain * scale
        if self.demodulate:
            weight = weight * torch.rsqrt(weight.square().sum((2, 3, 4), keepdim=True) + 1e-8)
        outputs, inputs, size = weight.shape[1:4]
        x = x.reshape(1, n * inputs, height, width)
        if self.up:
            weight = weight.transpose(1, 2).reshape(n * inputs, outputs, size, size)
            y = F.conv_transpose2d(x, weight, stride=2, groups=n)
            y = blur(y.reshape(n, outputs, *y.shape[2:]), self.kernel, padding=1, gain=4.0)
        else:
            y = F.conv2d(x, weight.reshape(n * outputs, inputs, size, size), padding=size // 2, groups=n)
            y = y.reshape(n, outputs, *y.shape[2:])
        if not self.demodulate:
            return y + self.bias[:, None, None]
        if noise is not None and self.noise_strength is not None:
            y = y + noise * self.noise_strength
        return F.leaky_relu(y + self.bias[:, None, None], SLOPE) * math.sqrt(2)


class TextbookConv(Conv):
    """The same layer with skips that are low-passed at every pixel."""

    def _convolve(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        if self.down and weight.shape[-1] == 1:
            return F.conv2d(blur(F.pad(x, (1, 1, 1, 1)), self.kernel, padding=0), weight, bias, stride=2)
        return super()._convolve(x, weight, bias)


def broadcast_bias_and_noise(layer: ModulatedConv, noise: Tensor | None) -> Tensor:
    """Return what `ModulatedConv._bias_and_noise` returns, in the default memory layout instead of channels last."""
    bias = math.sqrt(2) * layer.bias[:, None, None]
    if noise is None or layer.noise_strength is None:
        return bias
    return bias + math.sqrt(2) * layer.noise_strength * noise


class ScoredApart(Discriminator):
    """Scores real and generated images in one pass each."""

    def score_both(self, real: Tensor, fake: Tensor) -> tuple[Tensor, Tensor]:
        return self(real), self(fake)


def library_blur(x: Tensor, kernel: Tensor, *, padding: int, gain: float = 1.0) -> Tensor:
    """Compute `blur` with the derivatives of the library."""
    return F.conv2d(x, depthwise(kernel, x, gain), padding=padding, groups=x.shape[1])


def library_blur_down(x: Tensor, kernel: Tensor) -> Tensor:
    """Compute `blur_down` with the derivatives of the library."""
    return F.conv2d(x, depthwise(kernel, x, 1.0), stride=2, padding=1, groups=x.shape[1])


def library_blur_up(x: Tensor, kernel: Tensor) -> Tensor:
    """Compute `blur_up` with the derivatives of the library."""
    return F.conv_transpose2d(x, depthwise(kernel, x, 4.0), stride=2, padding=1, groups=x.shape[1])


class TwoPasses(Trainer):
    """Generates the images once more for the step of the generator."""

    def _train_generator(self, fake: Tensor, random: StepRandom) -> dict[str, Tensor]:
        with self._autocast():
            again = self.generator(*self._latents(len(fake), random))
        return super()._train_generator(again, random)


@dataclass(frozen=True)
class Way:
    """One way to compute the step."""

    name: str
    textbook: bool = False
    library_derivatives: bool = False
    two_passes: bool = False
    scored_apart: bool = False
    channels_last: bool = True
    bf16: bool = True
    fused: bool = True
    compiled: bool = False

    def steps(self, config: TrainConfig, device: torch.device) -> Callable[[], None]:
        """Return a function that computes one step in this way."""
        step = _steps(self._trainer(config, device), config, device)

        def patched() -> None:
            with ExitStack() as stack:
                if self.library_derivatives:
                    stack.enter_context(patch.multiple(layers, blur=library_blur, blur_down=library_blur_down))
                    stack.enter_context(patch.object(networks, "blur_up", library_blur_up))
                if not self.channels_last:
                    stack.enter_context(patch.object(ModulatedConv, "_bias_and_noise", broadcast_bias_and_noise))
                step()

        return patched

    def _trainer(self, config: TrainConfig, device: torch.device) -> Trainer:
        config = replace(config, bf16=self.bf16, network=replace(config.network, channels_last=self.channels_last))
        trainer = (TwoPasses if self.two_passes else Trainer)(config, device)
        if self.textbook:
            for net in (trainer.generator, trainer.discriminator):
                _as_textbook(net)
        if self.scored_apart:
            trainer.discriminator.__class__ = ScoredApart
        if not self.fused:
            for optimiser in (trainer.optimiser_g, trainer.optimiser_d):
                for group in optimiser.param_groups:
                    group |= {"fused": False, "foreach": False}
        if self.compiled:
            g, d = trainer.generator, trainer.discriminator
            for net, name in ((g, "forward"), (d, "forward"), (d, "score_both")):
                setattr(net, name, torch.compile(getattr(net, name), dynamic=False))
        return trainer


PLAIN = Way(
    "plain: float32, default layout, textbook layers",
    textbook=True,
    library_derivatives=True,
    two_passes=True,
    scored_apart=True,
    channels_last=False,
    bf16=False,
    fused=False,
)


def ladder_of(*changes: tuple[str, dict[str, bool]]) -> list[Way]:
    """Return the plain way, and after it ways that each have one more change."""
    ways = [PLAIN]
    for name, change in changes:
        ways.append(replace(ways[-1], name=f"+ {name}", **change))
    return ways


LADDER = ladder_of(
    ("images generated once for both players", {"two_passes": False}),
    ("shared weights of modulated convolutions, skips low-passed where kept", {"textbook": False}),
    ("channels_last", {"channels_last": True}),
    ("low-passes for derivatives of low-passes", {"library_derivatives": False}),
    ("bfloat16 autocast", {"bf16": True}),
    ("real and generated images judged in one pass", {"scored_apart": False}),
    ("fused Adam: as gandl trains", {"fused": True}),
)
COMPILED = Way("+ torch.compile", compiled=True)


def _as_textbook(net: nn.Module) -> None:
    kinds = {ModulatedConv: TextbookModulated, Conv: TextbookConv}
    for layer in net.modules():
        if type(layer) in kinds:
            layer.__class__ = kinds[type(layer)]


def main() -> None:
    """Measure the steps and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--page", type=Path, required=True)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--compile", action="store_true", help="a row for torch.compile; takes minutes")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    device = process_device()
    config = with_input(preset("cpu-64"), channels=2)
    ways = [*LADDER, *([COMPILED] if options.compile else [])]
    tables = (ladder(config, device, ways), convolutions(config, device), terms(config, device))
    write_between(options.page, "speed", "\n\n".join("\n".join(table) for table in tables))


def ladder(config: TrainConfig, device: torch.device, ways: Sequence[Way]) -> Iterator[str]:
    """Yield the table of the plain step and of one change after another."""
    config = replace(config, loss=replace(config.loss, r1_gamma=0.0))
    seconds = timed([way.steps(config, device) for way in ways])
    yield f"| step of `{config.preset}` without regularisers, batch {config.batch} | ms | times the plain one |"
    yield "|---|---|---|"
    for way, each in zip(ways, seconds, strict=True):
        yield f"| {way.name} | {1000 * each:.0f} | {seconds[0] / each:.2f} |"


def convolutions(config: TrainConfig, device: torch.device) -> Iterator[str]:
    """Yield the share of the library's convolutions in our step, which no other change can reduce."""
    config = replace(config, loss=replace(config.loss, r1_gamma=0.0))
    step = LADDER[-1].steps(config, device)
    for _ in range(WARM_UP):
        step()
    with profile(activities=[ProfilerActivity.CPU]) as profiled:
        for _ in range(ROUNDS):
            step()
    spent = {event.key: event.self_cpu_time_total for event in profiled.key_averages()}
    inside = sum(time for name, time in spent.items() if "conv" in name.lower())
    yield f"Convolutions of the library, forwards and backwards, are {inside / sum(spent.values()):.0%} of our step."


def terms(config: TrainConfig, device: torch.device) -> Iterator[str]:
    """Yield the table of what each regulariser adds to the step, at its interval."""
    off = LossConfig(r1_gamma=0.0)
    each = {
        "R1, every 16th step": (replace(off, r1_gamma=1.0, r1_interval=1), 16),
        "path length, every 8th step": (replace(off, path_length_weight=2.0, path_length_interval=1), 8),
        "Lipschitz, every step": (replace(off, lipschitz_weight=10.0), 1),
    }
    augmented = replace(config, loss=off, augment=replace(config.augment, adaptive=True))
    configs = [replace(config, loss=off), *(replace(config, loss=loss) for loss, _ in each.values())]
    trainers = [Trainer(c, device) for c in [*configs, augmented]]
    trainers[-1].augment_p.fill_(0.5)
    seconds = timed([_steps(t, config, device) for t in trainers])
    yield "| term | adds to each step |"
    yield "|---|---|"
    for (name, (_, interval)), total in zip(each.items(), seconds[1:-1], strict=True):
        yield f"| {name} | {100 * (total - seconds[0]) / interval / seconds[0]:.0f} % |"
    yield f"| adaptive augmentation, p = 0.5 | {100 * (seconds[-1] - seconds[0]) / seconds[0]:.0f} % |"


def timed(steps: list[Callable[[], None]]) -> list[float]:
    """Return the seconds of the best round of each step; the steps take turns."""
    best = [math.inf] * len(steps)
    for step in steps:
        for _ in range(WARM_UP):
            step()
    for _ in range(ROUNDS):
        for i, step in enumerate(steps):
            start = time.perf_counter()
            step()
            best[i] = min(best[i], time.perf_counter() - start)
    return best


def _steps(trainer: Trainer, config: TrainConfig, device: torch.device) -> Callable[[], None]:
    shape = (config.batch, config.network.channels, config.network.resolution, config.network.resolution)
    real = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    def step() -> None:
        trainer.advance(real)
        if device.type == "cuda":
            torch.cuda.synchronize()

    return step


def matrix_peak(device: torch.device, size: int = 8192) -> float:
    """Return the FLOP/s of the best of ten bfloat16 matrix products."""
    a = torch.randn(size, size, device=device, dtype=torch.bfloat16)
    best = math.inf
    for _ in range(10):
        torch.cuda.synchronize()
        start = time.perf_counter()
        a @ a
        torch.cuda.synchronize()
        best = min(best, time.perf_counter() - start)
    return 2 * size**3 / best


class NoModules(nullcontext[None]):
    """A tracker of modules that tracks nothing: that of the counter fails in gradients of gradients."""

    parents = ("Global",)


def flops(step: Callable[[], None], steps: int) -> float:
    """Return the floating-point operations of these steps, with lazy terms at their intervals."""
    counter = FlopCounterMode(display=False)
    counter.mod_tracker = NoModules()
    with counter:
        for _ in range(steps):
            step()
    return float(counter.get_total_flops())


if __name__ == "__main__":
    main()
