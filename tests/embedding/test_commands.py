"""`gandl embed` and `gandl models`, as a user types them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import tifffile
import typer
from gandl.commands.embed import embed
from gandl.commands.models import models
from gandl_embedding.engine import Engine
from gandl_shared.errors import BadInput, GandlError, Invalid, InvalidImage, InvalidModel, NotFound
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare, sampled_limits
from gandl_shared.store import read_profiles
from typer.testing import CliRunner

Run = Callable[..., str]


@pytest.fixture
def run() -> Run:
    """The two commands, each called with arguments as on a command line; errors come out as they are."""
    app = typer.Typer()
    app.command("embed")(embed)
    app.command("models")(models)

    def call(*arguments: object) -> str:
        result = CliRunner().invoke(app, [str(a) for a in arguments])
        if isinstance(result.exception, GandlError):
            raise result.exception
        assert result.exit_code == 0, result.output
        return result.stdout

    return call


def field(seed: int, edge: int = 72) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 260, (2, edge, edge)).astype(np.uint16)


@pytest.fixture
def stacks(tmp_path: Path) -> Path:
    """Three two-channel files in two folders."""
    for i, name in enumerate(["p1/a.tif", "p1/b.tif", "p2/c.tif"]):
        path = tmp_path / "stacks" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        tifffile.imwrite(path, field(i), photometric="minisblack")
    return tmp_path / "stacks"


@pytest.fixture
def planes(tmp_path: Path) -> Path:
    """The same fields, one file a channel, named as gandl names them."""
    for i, place in enumerate(["P1/A01_s1", "P1/A01_s2", "P2/B12_s1"]):
        for c, plane in enumerate(field(i), start=1):
            path = tmp_path / "planes" / f"{place}_w{c}.tif"
            path.parent.mkdir(parents=True, exist_ok=True)
            tifffile.imwrite(path, plane)
    return tmp_path / "planes"


def expected(model_file: Path, limits: IntensityLimits | None = None) -> np.ndarray:
    engine = Engine.load(model_file)
    prepared = Preprocessing(
        limits=limits or engine.card.limits, size=engine.card.size, downscale=engine.card.downscale
    )
    return np.concatenate([engine.embed(prepare(field(i), prepared)) for i in range(3)])


def test_files_with_all_channels_are_images(run: Run, stacks: Path, model_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "v.parquet"
    assert "12 tiles of 3 images" in run("embed", stacks, "--model", model_file, "--out", out)
    with out.open("rb") as file:
        profiles = read_profiles(file)
    np.testing.assert_allclose(profiles.vectors, expected(model_file), rtol=1e-4, atol=1e-4)
    assert list(profiles.plates[::4]) == ["p1", "p1", "p2"]
    assert list(profiles.sites[::4]) == ["a.tif", "b.tif", "c.tif"]
    table = pd.read_parquet(out)
    assert [c for c in table.columns if not c.startswith("Metadata_")] == [f"gandl_{i:03d}" for i in range(512)]
    assert not list(tmp_path.glob(".*partial"))


@pytest.mark.parametrize("pattern", [None, "gandl", "{plate}/{well}_s{site}_w{channel}.tif"])
def test_one_file_a_channel_is_put_together(
    run: Run, planes: Path, model_file: Path, tmp_path: Path, pattern: str | None
) -> None:
    out = tmp_path / "v.parquet"
    run("embed", planes, "--model", model_file, "--out", out, *(["--pattern", pattern] if pattern else []))
    with out.open("rb") as file:
        profiles = read_profiles(file)
    np.testing.assert_allclose(profiles.vectors, expected(model_file), rtol=1e-4, atol=1e-4)
    places = zip(profiles.plates[::4], profiles.wells[::4], profiles.sites[::4], strict=True)
    assert list(places) == [("P1", "A01", "1"), ("P1", "A01", "2"), ("P2", "B12", "1")]


def test_plate_limits_are_those_of_a_screen(run: Run, stacks: Path, model_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "v.parquet"
    run("embed", stacks / "p2", "--model", model_file, "--out", out, "--limits", "plate")
    limits = sampled_limits([[stacks / "p2" / "c.tif"]], downscale=2)
    with out.open("rb") as file:
        np.testing.assert_allclose(read_profiles(file).vectors, expected(model_file, limits)[8:], rtol=1e-4, atol=1e-4)


def test_what_cannot_be_embedded_is_named_and_nothing_is_written(
    run: Run, stacks: Path, planes: Path, model_file: Path, tmp_path: Path
) -> None:
    out = tmp_path / "v.parquet"
    rest = ["--model", model_file, "--out", out]
    (stacks / "p1" / "b.tif").write_bytes(b"text")
    (planes / "P2" / "B12_s1_w2.tif").unlink()
    with pytest.raises(InvalidImage, match="b.tif"):
        run("embed", stacks, *rest)
    with pytest.raises(Invalid, match="B12_s1_w1.tif: channel 2 is not there"):
        run("embed", planes, *rest)
    with pytest.raises(NotFound, match="gone"):
        run("embed", tmp_path / "gone", *rest)
    with pytest.raises(BadInput, match="--limits"):
        run("embed", stacks, *rest, "--limits", "none")
    with pytest.raises(Invalid, match="--channels"):
        run("embed", planes, *rest, "--channels", "1")
    empty = tmp_path / "empty"
    empty.mkdir()
    with pytest.raises(BadInput, match="holds no images"):
        run("embed", empty, *rest)
    with pytest.raises(BadInput, match="cannot be written"):
        run("embed", stacks / "p2", "--model", model_file, "--out", tmp_path / "no" / "v.parquet")
    assert not list(tmp_path.glob("*.parquet"))


def test_models_are_listed(run: Run, models_dir: Path) -> None:
    table = run("models", models_dir)
    assert "five" in table
    assert "two" in table
    listed = json.loads(run("models", models_dir, "--json"))
    assert [m["card"]["name"] for m in listed] == ["five", "two"]
    assert listed[1]["id"] == Engine.load(models_dir / "two.onnx").model_id
    assert [m["card"]["size"] for m in json.loads(run("models", models_dir / "two.onnx", "--json"))] == [16]


def test_every_broken_model_is_named(run: Run, tiny: ModuleType, tmp_path: Path) -> None:
    (tmp_path / "a.onnx").write_text("text")
    tiny.tiny_model(tmp_path / "good.onnx")
    tiny.write_model(tmp_path / "z.onnx", tiny.tiny_graph(), None)
    with pytest.raises(InvalidModel) as caught:
        run("models", tmp_path)
    assert [problem.detail.split(" ")[0] for problem in caught.value.problems] == ["a.onnx", "z.onnx"]
    with pytest.raises(NotFound, match="gone"):
        run("models", tmp_path / "gone")


@pytest.mark.parametrize("command", ["embed", "models"])
def test_asking_for_help_loads_nothing_heavy(command: str) -> None:
    code = (
        f"import sys, gandl.commands.{command}; "
        "heavy = {'numpy', 'onnxruntime', 'rich', 'pandas'} & set(sys.modules); print(heavy); sys.exit(bool(heavy))"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stdout
