"""Measure the speed of training on a GPU: seconds per thousand images, TFLOP/s and the share of the low-passes.

    python -m benchmarks.gpu.speed gpu-64 gpu-256 paper

Images are random. All terms act at their intervals. Steps by graphs and without stand side by side. A processor without
bfloat16 computes in float32, as in a training.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

import torch
from gandl_training.config import PRESETS, TrainConfig, preset, with_input
from gandl_training.process_group import process_device
from gandl_training.run.training_run import as_computed
from gandl_training.steps.step import Trainer
from torch.profiler import ProfilerActivity, profile

from benchmarks.training.speed import flops, matrix_peak

PERIOD = 16
"""After so many steps every lazy term of the presets has acted as often as its interval says."""
WARM_UP = 3 * PERIOD
"""Steps until every kind of step has its graph."""
CHANNELS = {64: 2, 128: 2, 256: 5}
LOW_PASS = ("low_pass", "conv2d_grouped", "dgrad2d", "depthwise")
"""Parts of the names of kernels that are low-passes: ours, and those of the library."""


def main() -> None:
    """Print a row for each preset and way."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("presets", nargs="*", default=list(PRESETS), metavar="PRESET[:BATCH]")
    parser.add_argument("--kernels", type=int, default=0, help="print so many kernels that take the most time")
    parser.add_argument("--periods", type=int, default=2)
    parser.add_argument("--search", action="store_true", help="let cuDNN try its algorithms for each shape")
    options = parser.parse_args()
    torch.backends.cudnn.benchmark = options.search
    device = process_device()
    peak = matrix_peak(device) if device.type == "cuda" else 1e12
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else "CPU"
    print(f"{name}, matrix peak {peak / 1e12:.0f} TFLOP/s")
    print("| preset | batch | graphs | images/s | s/kimg | TFLOP/s | of the peak | low-passes | memory GB |")
    print("|---|---|---|---|---|---|---|---|---|")
    for name in options.presets:
        for line in rows(as_computed(configured(name), device), device, peak, options.periods, options.kernels):
            print(line, flush=True)


def configured(name: str) -> TrainConfig:
    """Return the preset of a name such as `gpu-64` or `gpu-64:128`, with a batch of 128 there."""
    name, _, batch = name.partition(":")
    config = preset(name)
    config = with_input(config, channels=CHANNELS[config.network.resolution])
    return replace(config, batch=int(batch)) if batch else config


def rows(config: TrainConfig, device: torch.device, peak: float, periods: int, kernels: int) -> Iterator[str]:
    """Yield one row without graphs and, on a GPU, one with them."""
    count, share, table = 0.0, 0.0, ""
    for graphs in (False, True) if device.type == "cuda" else (False,):
        if device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()
        trainer = Trainer(config, device, graphs=graphs)
        trainer.augment_p.fill_(0.3)
        step = stepper(trainer)
        for _ in range(WARM_UP if graphs else 2):
            step()
        # Counting starts where all terms act, so that a period holds each as often as its interval says.
        while trainer.step % PERIOD:
            step()
        seconds = timed(step, periods * PERIOD)
        if not graphs:
            count = flops(step, PERIOD) / PERIOD
            share, table = low_pass_share(step, kernels)
        rate = count / seconds
        memory = torch.cuda.max_memory_allocated() / 1e9 if device.type == "cuda" else 0
        cells = (
            config.preset, config.batch, "yes" if graphs else "no", f"{config.batch / seconds:.0f}",
            f"{1000 * seconds / config.batch:.2f}", f"{rate / 1e12:.1f}", f"{rate / peak:.3f}",
            "" if graphs else f"{share:.0%}", f"{memory:.1f}",
        )  # fmt: skip
        yield "| " + " | ".join(map(str, cells)) + " |"
        if not graphs and kernels:
            yield table
        del trainer, step


def stepper(trainer: Trainer) -> Callable[[], None]:
    """Return a function that trains on the next of four batches of random images."""
    config = trainer.config
    shape = (4, config.batch, config.network.channels, config.network.resolution, config.network.resolution)
    real = torch.randint(0, 256, shape, dtype=torch.uint8, generator=torch.Generator().manual_seed(0))

    def step() -> None:
        trainer.advance(real[trainer.step % 4])

    return step


def timed(step: Callable[[], None], steps: int) -> float:
    """Return the mean seconds of so many steps, all of which have ended."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    if torch.cuda.is_available():
        torch.cuda.synchronize()
    return (time.perf_counter() - start) / steps


def low_pass_share(step: Callable[[], None], kernels: int) -> tuple[float, str]:
    """Return the share of the GPU's time that is spent in low-passes over one period, and the longest kernels."""
    activities = [ProfilerActivity.CUDA] if torch.cuda.is_available() else [ProfilerActivity.CPU]
    with profile(activities=activities) as profiled:
        for _ in range(PERIOD):
            step()
        if torch.cuda.is_available():
            torch.cuda.synchronize()
    spent = sorted(((device_time(e), e.count, e.key) for e in profiled.key_averages()), reverse=True)
    total = sum(t for t, _, _ in spent)
    low = sum(t for t, _, key in spent if any(part in key for part in LOW_PASS))
    return low / max(total, 1e-9), kernel_lines(spent[:kernels], total)


def device_time(event: object) -> float:
    """Return the microseconds of a profiler's entry on the device, or on the CPU where there is no GPU."""
    name = "self_device_time_total" if torch.cuda.is_available() else "self_cpu_time_total"
    return float(getattr(event, name))


def kernel_lines(spent: Sequence[tuple[float, int, str]], total: float) -> str:
    """Return a line for each kernel: its share, the time of a step, its number of calls and its name."""
    return "\n".join(
        f"  {t / total:6.1%} {t / PERIOD / 1000:8.3f} ms/step {n / PERIOD:7.1f}x  {key[:110]}" for t, n, key in spent
    )


if __name__ == "__main__":
    main()
