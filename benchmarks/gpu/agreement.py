"""Compare the GPU with the CPU: low-passes with their derivatives, one training step, and steps by graphs.

    python -m benchmarks.gpu.agreement [low-passes] [without-triton] [step] [graphs]

Each line gives ‖GPU − reference‖ / ‖reference‖ and the most that is allowed. The command fails where one is above.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from gandl_training.config import AugmentConfig, LossConfig, TrainConfig, preset
from gandl_training.networks import resampling
from gandl_training.networks.resampling import blur, blur_down, blur_up, fir_kernel
from gandl_training.steps.random_numbers import StepRandom
from gandl_training.steps.step import Trainer
from gandl_training.steps.terms import LazyTerms
from torch import Tensor, nn

LowPass = Callable[[Tensor, Tensor], Tensor]
SHAPES = ((4, 3, 16, 16), (2, 64, 34, 20), (2, 7, 8, 12))
GRAPH_STEPS = 24
ROUNDING = {torch.float32: 1e-6, torch.bfloat16: 1e-2}
"""The relative error of a low-pass that rounding explains."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """The relative difference of something computed in two ways, and the most that is allowed."""

    name: str
    difference: float
    limit: float


def relative(ours: Sequence[Tensor], reference: Sequence[Tensor]) -> float:
    """Return ‖ours − reference‖ / ‖reference‖ over all tensors, in float64; ‖ours‖ where the reference is 0."""
    x, y = (torch.cat([t.detach().double().cpu().flatten() for t in tensors]) for tensors in (ours, reference))
    return float((x - y).norm() / y.norm()) if y.any() else float(x.norm())


def low_passes(device: torch.device) -> Iterator[Comparison]:
    """Compare each low-pass, its derivative and the derivative of that with float64 on the CPU."""
    passes: dict[str, LowPass] = {
        "blur": lambda x, k: blur(x, k, padding=2),
        "blur after up": lambda x, k: blur(x, k, padding=1, gain=4.0),
        "blur_down": blur_down,
        "blur_up": blur_up,
    }
    for name, low_pass in passes.items():
        for dtype, limit in ROUNDING.items():
            for layout in (torch.contiguous_format, torch.channels_last):
                worst = max(_low_pass_difference(low_pass, shape, dtype, layout, device) for shape in SHAPES)
                yield Comparison(name=f"{name}, {dtype}, {layout}", difference=worst, limit=limit)


def low_passes_without_triton(device: torch.device) -> Iterator[Comparison]:
    """Compare the low-passes of a GPU on which Triton is not installed."""
    before, resampling.HAS_TRITON = resampling.HAS_TRITON, False
    try:
        yield from low_passes(device)
    finally:
        resampling.HAS_TRITON = before


def _low_pass_difference(
    low_pass: LowPass, shape: tuple[int, ...], dtype: torch.dtype, layout: torch.memory_format, device: torch.device
) -> float:
    start = torch.randn(shape).to(dtype).contiguous(memory_format=layout)
    ours = _with_derivatives(low_pass, start.to(device), fir_kernel().to(device))
    reference = _with_derivatives(low_pass, start.double(), fir_kernel().double())
    return max(relative([a], [b]) for a, b in zip(ours, reference, strict=True))


def _with_derivatives(low_pass: LowPass, x: Tensor, kernel: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Return a low-pass of `x`, the slope of its cube and the slope of that: they need derivatives of both orders."""
    x = x.requires_grad_()
    y = low_pass(x, kernel)
    # The cube is computed in float32 at least, so that only the low-pass is rounded.
    cube = y.to(torch.promote_types(y.dtype, torch.float32)).pow(3).sum()
    (slope,) = torch.autograd.grad(cube, x, create_graph=True)
    (second,) = torch.autograd.grad(slope.square().sum(), x)
    return y, slope, second


def with_all_terms(config: TrainConfig) -> TrainConfig:
    """Return `config` with every term of the loss and with augmentation."""
    loss = LossConfig(r1_gamma=1.0, r1_interval=4, path_length_weight=2.0, path_length_interval=2, lipschitz_weight=1.0)
    return replace(config, loss=loss, augment=AugmentConfig(adaptive=True))


def batches(config: TrainConfig, count: int) -> Iterator[Tensor]:
    """Yield batches [N, C, R, R] uint8 of noise, the same in every call."""
    rng = torch.Generator().manual_seed(0)
    size = config.network.resolution
    for _ in range(count):
        yield torch.randint(
            0, 256, (config.batch, config.network.channels, size, size), generator=rng, dtype=torch.uint8
        )


def one_step(device: torch.device) -> Iterator[Comparison]:
    """Compare the losses and the gradients of a step in float32, with the same random numbers on both devices."""
    config = replace(with_all_terms(preset("cpu-64")), bf16=False)
    random = StepRandom.of_step(0, 0, torch.device("cpu"))
    tape = _Tape(random)
    results = []
    for processor in (torch.device("cpu"), device):
        torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = False
        trainer = _Gradients(config, processor)
        trainer.augment_p.fill_(0.5)
        tape.rewind(processor)
        report = trainer.compute(
            next(batches(config, 1)).to(processor), LazyTerms(r1=True, lipschitz=True, path_length=True), tape
        )
        results.append((report, trainer.gradients))
    torch.backends.cudnn.allow_tf32 = True
    (reference, slopes), (ours, ours_slopes) = results
    for name in reference:
        yield Comparison(name=f"loss {name}, float32", difference=relative([ours[name]], [reference[name]]), limit=1e-3)
    for i, (a, b) in enumerate(zip(ours_slopes, slopes, strict=True)):
        yield Comparison(name=f"gradient of update {i}, float32", difference=relative(a, b), limit=1e-3)


class _Tape:
    """Random numbers drawn once on the CPU and given again on another device."""

    def __init__(self, random: StepRandom) -> None:
        self.random, self.position = random, 0
        self.values: list[Tensor] = []
        self.device = torch.device("cpu")

    def rewind(self, device: torch.device) -> None:
        """Begin with the first number again, on that device."""
        self.position, self.device = 0, device

    def normal(self, images: int, *shape: int) -> Tensor:
        """Return standard normal values, [images, *shape]."""
        return self._next(self.random.normal, images, shape)

    def uniform(self, images: int, *shape: int) -> Tensor:
        """Return uniform values in 0..1, [images, *shape]."""
        return self._next(self.random.uniform, images, shape)

    def _next(self, draw: Callable[..., Tensor], images: int, shape: tuple[int, ...]) -> Tensor:
        if self.position == len(self.values):
            self.values.append(draw(images, *shape))
        self.position += 1
        return self.values[self.position - 1].to(self.device)


class _Gradients(Trainer):
    """A trainer that keeps the gradients of each update and does not follow them."""

    def __init__(self, config: TrainConfig, device: torch.device) -> None:
        super().__init__(config, device, graphs=False)
        self.gradients: list[list[Tensor]] = []

    def _update(self, net: nn.Module, optimiser: torch.optim.Optimizer) -> None:
        self.gradients.append([p.grad.clone() for p in net.parameters() if p.grad is not None])


def graphs(device: torch.device) -> Iterator[Comparison]:
    """Compare the weights after steps by graphs with those after the same steps without, beside two runs without."""
    for name, config in (
        ("cpu-64", replace(preset("cpu-64"), augment=AugmentConfig(adaptive=True))),
        ("all terms", with_all_terms(preset("cpu-64"))),
    ):
        runs = []
        for use_graphs in (False, False, True):
            trainer = Trainer(config, device, graphs=use_graphs)
            for real in batches(config, GRAPH_STEPS):
                trainer.advance(real)
            runs.append(
                [p.clone() for net in (trainer.generator_ema, trainer.discriminator_ema) for p in net.parameters()]
            )
        spread = relative(runs[1], runs[0])
        yield Comparison(name=f"{name}: {GRAPH_STEPS} steps, twice without graphs", difference=spread, limit=1.0)
        yield Comparison(
            name=f"{name}: {GRAPH_STEPS} steps, with graphs",
            difference=relative(runs[2], runs[0]),
            limit=max(3 * spread, 1e-6),
        )


COMPARISONS: Mapping[str, Callable[[torch.device], Iterator[Comparison]]] = {
    "low-passes": low_passes,
    "without-triton": low_passes_without_triton,
    "step": one_step,
    "graphs": graphs,
}


def main() -> None:
    """Print the comparisons that are asked for, or all."""
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    bad = 0
    for name in sys.argv[1:] or COMPARISONS:
        # There are no graphs on a CPU.
        for each in COMPARISONS[name](device) if device.type == "cuda" or name != "graphs" else ():
            wrong = not each.difference <= each.limit
            bad += wrong
            print(
                f"{'WRONG' if wrong else 'ok':6} {each.difference:9.2e} (at most {each.limit:.0e})  {each.name}",
                flush=True,
            )
    sys.exit(f"{bad} comparisons are above their limit" if bad else 0)


if __name__ == "__main__":
    main()
