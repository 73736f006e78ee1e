"""The processor and the GPU of this machine, by the files of the Linux kernel."""

from __future__ import annotations

import platform
from functools import cache
from pathlib import Path

CPU_INFO, GPU_INFO = Path("/proc/cpuinfo"), Path("/proc/driver/nvidia/gpus")
_VECTOR_UNITS = ("avx512f", "avx2", "avx")
"""The instructions by which libraries choose their kernels for float32, the widest first."""


@cache
def processor() -> str:
    """Return the name of the processor."""
    return _line(CPU_INFO, "model name") or platform.machine()


@cache
def instructions() -> str:
    """Return what decides the bits of float32 on this processor: its architecture and its widest vector unit."""
    present = processor_flags()
    unit = next((unit for unit in _VECTOR_UNITS if unit in present), "")
    return f"{platform.machine()} {unit}".strip()


def processor_flags() -> frozenset[str]:
    """Return the flags of the processor; none where the kernel does not list them."""
    return frozenset((_line(CPU_INFO, "flags") or "").split())


@cache
def gpu() -> str:
    """Return the name of the first GPU."""
    names = sorted(filter(None, (_line(file, "Model") for file in GPU_INFO.glob("*/information"))))
    return names[0] if names else "GPU"


def _line(path: Path, key: str) -> str | None:
    """Return the value of the first line `key : value` of a file of the kernel."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return None
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(key)), None)
