"""`gandl embed`, as a user types it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from gandl_embedding.engine import Engine
from gandl_shared.errors import BadInput, Invalid, InvalidImage, NotFound
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare, sampled_limits
from gandl_shared.store import read_profiles

from tests.cli.commands.invocation import Run


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
    for i, stem in enumerate(["P1/A01_s1", "P1/A01_s2", "P2/B12_s1"]):
        for c, plane in enumerate(field(i), start=1):
            path = tmp_path / "planes" / f"{stem}_w{c}.tif"
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


def test_a_baseline_has_the_tiles_of_a_model(run: Run, stacks: Path, model_file: Path, tmp_path: Path) -> None:
    for name in ("intensity", "pca"):
        out = tmp_path / f"{name}.parquet"
        printed = run("embed", stacks, "--model", name, "--like", model_file, "--out", out)
        assert "12 tiles of 3 images" in printed
        assert f"features of {name}" in printed
    with pytest.raises(BadInput, match="a baseline needs the channels and the tiles of a model here; give --like"):
        run("embed", stacks, "--model", "intensity", "--out", tmp_path / "v.parquet")
    with pytest.raises(BadInput, match="--like is for a baseline"):
        run("embed", stacks, "--model", model_file, "--like", model_file, "--out", tmp_path / "v.parquet")


def test_single_cells_need_no_model_for_a_baseline(run: Run, stacks: Path, tmp_path: Path) -> None:
    options = ("--single-cells", "--limits", "plate", "--tile-size", 64)
    printed = run("embed", stacks, "--model", "intensity", *options, "--out", tmp_path / "v.parquet")
    assert "3 tiles of 3 images" in printed


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
    with pytest.raises(Invalid, match="B12_s1_w1.tif, channel: site 1 of well B12 of plate P2 lacks channel 2"):
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


def test_single_cells_give_one_vector_each(run: Run, stacks: Path, model_file: Path, tmp_path: Path) -> None:
    card = Engine.load(model_file).card
    edge = (card.size + 3) * card.downscale
    for i, path in enumerate(sorted(stacks.rglob("*.tif"))):
        tifffile.imwrite(path, field(i, edge), photometric="minisblack")
    out = tmp_path / "v.parquet"
    assert "3 tiles of 3 images" in run("embed", stacks, "--single-cells", "--model", model_file, "--out", out)
    with out.open("rb") as file:
        profiles = read_profiles(file)
    assert list(zip(profiles.plates, profiles.wells, profiles.sites, strict=True)) == [
        ("", "", "p1/a.tif"),
        ("", "", "p1/b.tif"),
        ("", "", "p2/c.tif"),
    ]
    assert set(profiles.y) == {card.downscale}
    cell = Preprocessing(limits=card.limits, size=card.size, downscale=card.downscale, single_cell=True)
    vectors = np.concatenate([Engine.load(model_file).embed(prepare(field(i, edge), cell)) for i in range(3)])
    np.testing.assert_allclose(profiles.vectors, vectors, rtol=1e-4, atol=1e-4)
    with pytest.raises(BadInput, match="with --single-cells each file is one image with all channels"):
        run("embed", stacks, "--single-cells", "--pattern", "{well}.tif", "--model", model_file, "--out", out)


def test_an_image_that_is_no_single_cell_is_named(run: Run, stacks: Path, model_file: Path, tmp_path: Path) -> None:
    with pytest.raises(
        InvalidImage, match=r"p1/a\.tif: the image is 36×36 after downscaling, and that of a single cell has edges"
    ):
        run("embed", stacks, "--single-cells", "--model", model_file, "--out", tmp_path / "v.parquet")
