"""The device is read from the files of the kernel."""

from __future__ import annotations

import platform
from pathlib import Path

import pytest
from gandl_embedding.engine import devices


@pytest.mark.parametrize(
    ("flags", "instructions"),
    [("fpu avx avx2 avx512f", " avx512f"), ("fpu avx avx2", " avx2"), ("fpu avx", " avx"), ("fpu", ""), (None, "")],
)
def test_the_widest_vector_unit_names_the_processor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str | None, instructions: str
) -> None:
    info = tmp_path / "cpuinfo"
    if flags is not None:
        info.write_text(f"model name\t: A Processor\nflags\t\t: {flags}\n")
    monkeypatch.setattr(devices, "CPU_INFO", info)
    devices.instructions.cache_clear()
    devices.processor.cache_clear()
    assert devices.instructions() == f"{platform.machine()}{instructions}"
    assert devices.processor() == ("A Processor" if flags is not None else platform.machine())
    devices.instructions.cache_clear()
    devices.processor.cache_clear()


def test_the_gpu_is_named_by_its_driver(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "0000:01:00.0"
    folder.mkdir()
    (folder / "information").write_text("Model: \t\t NVIDIA H200\nIRQ: 1\n")
    monkeypatch.setattr(devices, "GPU_INFO", tmp_path)
    devices.gpu.cache_clear()
    assert devices.gpu() == "NVIDIA H200"
    devices.gpu.cache_clear()
