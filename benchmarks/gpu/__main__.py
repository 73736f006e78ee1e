"""Run everything that needs a GPU, the most valuable first, within a time limit.

    python -m benchmarks.gpu --minutes 8 --out runs/gpu --packed runs/packed

Each part writes its output to a log in the folder, and its end to `parts.json`. A part that has ended is not run again,
so the command can be called until all parts are done. The parts are: a comparison of GPU and CPU; the tests that need a
GPU; the embedding engine and its service on CUDA; the speed of every preset; and trainings on packed fields (`gandl
train IMAGES --out FOLDER --pack-only`), which share the minutes that are left and are exported. `--part` chooses parts.

It runs from a checkout without a network; a folder of wheels (`make gpu-wheels`) brings what the machine lacks.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ("shared/src", "science/src", "training/src", "services/cli/src", "services/embedding/src", ".")
MODULES = (
    "torch",
    "triton",
    "numpy",
    "PIL",
    "onnx",
    "onnxscript",
    "onnxruntime",
    "tensorboard",
    "threadpoolctl",
    "sklearn",
)
MORE_MODULES = ("pydantic", "tifffile", "typer", "rich", "pytest")
PARTS = "parts.json"
TRAININGS = {
    "cells": ("--preset", "cells-64"),
    "both": ("--preset", "gpu-64", "--contrast", "1"),
    "gan": ("--preset", "gpu-64"),
}
"""Options of `gandl train` by the name of a training: the contrastive term alone, with the adversarial loss, and the
adversarial loss alone."""
GANDL = (sys.executable, "-c", "from gandl.main import run; run()")
"""The command line, also where it is not installed."""
MIN_TRAINING_SECONDS = 30
START_SECONDS = 25
"""What a training needs besides its minutes: to load its libraries, to record its graphs and to be exported."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """A command and the seconds that it may take."""

    name: str
    command: tuple[str, ...]
    seconds: float


def main() -> None:
    """Run the parts that have not ended yet."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--out", type=Path, default=Path("runs/gpu"))
    parser.add_argument("--packed", type=Path, help="folder of packed fields to train on")
    parser.add_argument("--part", action="append", help="run this part; repeat for several")
    options = parser.parse_args()
    end = time.monotonic() + 60 * options.minutes
    absent = missing()
    if absent:
        sys.exit(f"not installed here: {', '.join(absent)}; `make gpu-wheels` collects wheels for such a machine")
    if options.part is None and not _has_gpu():
        sys.exit("there is no CUDA device here; name parts by --part to try their commands on the CPU")
    options.out.mkdir(parents=True, exist_ok=True)
    for part in parts(options.out, options.packed, end):
        if options.part is None or part.name in options.part:
            run(part, options.out, end)


def missing() -> list[str]:
    """Return the modules that the parts import and this machine lacks."""
    return [name for name in (*MODULES, *MORE_MODULES) if importlib.util.find_spec(name) is None]


def _has_gpu() -> bool:
    import torch  # noqa: PLC0415 - `missing` speaks first

    return torch.cuda.is_available()


def parts(out: Path, packed: Path | None, end: float) -> Iterator[Part]:
    """Yield the parts in order. Trainings share what is left until `end` when their turn comes."""
    python = sys.executable
    yield Part(name="agreement", command=(python, "-m", "benchmarks.gpu.agreement"), seconds=240)
    yield Part(name="tests", command=(python, "-m", "pytest", "-q", "-m", "gpu", "tests/training"), seconds=120)
    models = ("gandl-bbbc013-contrast-64", "gandl-nuclei-64", "gandl-bbbc013-64")
    yield Part(name="embedding", command=(python, "-m", "benchmarks.gpu.embedding", *models), seconds=120)
    instances = (models[-1], "--instances", "2")
    yield Part(name="instances", command=(python, "-m", "benchmarks.gpu.embedding", *instances), seconds=60)
    yield Part(name="run-sizes", command=(python, "-m", "benchmarks.gpu.run_sizes", models[-1]), seconds=40)
    for preset in ("gpu-64", "gpu-256", "paper", "gpu-128"):
        command = (python, "-m", "benchmarks.gpu.speed", preset, "--kernels", "12")
        yield Part(name=f"speed-{preset}", command=command, seconds=90)
    for i, (name, choices) in enumerate(TRAININGS.items()) if packed else ():
        seconds = (end - time.monotonic()) / (len(TRAININGS) - i) - START_SECONDS
        run_folder = out / f"train-{name}"
        train = (*GANDL, "train", str(packed), "--out", str(run_folder))
        if seconds >= MIN_TRAINING_SECONDS:
            minutes = ("--minutes", f"{seconds / 60:.2f}")
            yield Part(name=f"train-{name}", command=(*train, *choices, *minutes), seconds=seconds + START_SECONDS)
            target = ("--out", str(out / f"{name}.onnx"), "--tap", "fc-multi")
            export = (*GANDL, "export", str(run_folder), *target)
            yield Part(name=f"export-{name}", command=export, seconds=60)


def run(part: Part, out: Path, end: float) -> None:
    """Run one part unless it has ended before or no time is left; note how it ended."""
    path = out / PARTS
    ended = json.loads(path.read_text()) if path.is_file() else {}
    seconds = min(part.seconds, end - time.monotonic())
    if part.name in ended or seconds < 1:
        print(f"{part.name}: {'has ended before' if part.name in ended else 'no time is left'}", flush=True)
        return
    start = time.monotonic()
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join([*(str(ROOT / s) for s in SOURCES), os.environ.get("PYTHONPATH", "")]),
        "PYTHONUNBUFFERED": "1",
    }
    with (out / f"{part.name}.log").open("w") as log:
        try:
            code = subprocess.run(
                part.command,
                cwd=ROOT,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                timeout=seconds,
                check=False,
            ).returncode
        except subprocess.TimeoutExpired:
            # A part that ran out of time is run again by the next call.
            print(f"{part.name}: stopped after {seconds:.0f} s; see {out / part.name}.log", flush=True)
            return
    ended[part.name] = {"code": code, "seconds": round(time.monotonic() - start, 1)}
    path.write_text(json.dumps(ended, indent=1))
    print(
        f"{part.name}: {'ok' if code == 0 else f'exit code {code}'} after {ended[part.name]['seconds']} s", flush=True
    )


if __name__ == "__main__":
    main()
