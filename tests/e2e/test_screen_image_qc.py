"""`gandl screen` on a real plate with a few spoilt fields: it names them, and they affect no other well."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import tifffile
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Run = Callable[..., "subprocess.CompletedProcess[str]"]
Image = NDArray[np.float64]
MODEL = Path(__file__).parents[2] / "models" / "gandl-bbbc013-64.onnx"


def empty(image: Image) -> Image:
    """Return background and camera noise."""
    return np.percentile(image, 20) + np.random.default_rng(0).normal(0, 2, image.shape)


def blurred(image: Image) -> Image:
    return gaussian_filter(image, 4)


def overexposed(image: Image) -> Image:
    return image * 400


SPOILT: Mapping[str, Callable[[Image], Image]] = {
    "B02": empty,  # a negative control
    "C12": overexposed,  # a positive control
    "A07": empty,
    "F06": overexposed,
    "G08": blurred,
}
EXCLUDED = {"B02": "empty", "C12": "overexposed", "A07": "empty", "F06": "overexposed"}


@dataclass(frozen=True)
class Result:
    out: Path
    stdout: str

    def table(self, name: str) -> dict[str, dict[str, str]]:
        with (self.out / name).open(newline="") as file:
            return {row.get("well") or row["compound"]: row for row in csv.DictReader(file)}


@pytest.fixture(scope="module")
def images(bbbc013: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The plate, with the files of the wells in SPOILT changed."""
    folder = tmp_path_factory.mktemp("spoilt") / "images"
    folder.mkdir()
    for path in (bbbc013 / "images").iterdir():
        shutil.copyfile(path, folder / path.name)
    for well, change in SPOILT.items():
        for path in folder.glob(f"Channel?-*-{well[0]}-{well[1:]}.tif"):
            image = np.squeeze(tifffile.imread(path)).astype(np.float64)
            path.unlink()
            tifffile.imwrite(path, np.clip(change(image), 0, 255).astype(np.uint8))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="module")
def result(bbbc013: Path, images: Path, gandl: Run, tmp_path_factory: pytest.TempPathFactory) -> Result:
    out = tmp_path_factory.mktemp("qc") / "out"
    ran = gandl("screen", images, "--platemap", bbbc013 / "platemap.csv", "--model", MODEL, "--out", out)
    assert ran.returncode == 0, ran.stderr
    return Result(out, ran.stdout)


def test_quality_names_exactly_the_spoilt_sites(result: Result) -> None:
    images = json.loads((result.out / "quality.json").read_text())["images"]["BBBC013"]
    assert (images["sites"], images["focus_judged"]) == (96, True)
    failed = {s["well"]: (s["excluded"], s["reasons"]) for s in images["failed"]}
    assert set(failed) == set(SPOILT)
    assert {well: reasons[0] for well, (out, reasons) in failed.items() if out} == EXCLUDED
    assert failed["G08"] == (False, ["blurred"])
    assert "5 sites failed image QC, 4 of them were left out" in result.stdout


def test_wells_without_a_usable_site_have_no_efficacy_but_a_reason(result: Result) -> None:
    wells = result.table("wells.csv")
    for well, row in wells.items():
        if well in EXCLUDED:
            assert (row["efficacy"], row["on"], row["n_tiles"]) == ("", "", "0")
            assert row["excluded"].startswith(f"image QC: {EXCLUDED[well]}")
        else:
            assert row["efficacy"] != "" and row["excluded"] == ""


def test_the_other_wells_are_scored_as_without_spoilt_fields(result: Result) -> None:
    quality = json.loads((result.out / "quality.json").read_text())["cell_lines"]["U2OS"]
    assert (quality["n_positive"], quality["n_negative"]) == (7, 15)
    assert quality["z_prime"] > 0.6  # 0.67 on the plate as it is
    curves = result.table("dose_response.csv")
    assert float(curves["Wortmannin"]["ec50_um"]) == pytest.approx(0.0086, rel=0.15)
    assert float(curves["LY294002"]["ec50_um"]) == pytest.approx(3.4, rel=0.15)
    assert "empty_wells" in curves["Wortmannin"]["flags"] and "empty_wells" not in curves["LY294002"]["flags"]
    assert {row["verdict"] for row in curves.values()} == {"active"}


def test_profiles_hold_metrics_and_problems(result: Result) -> None:
    table = pd.read_parquet(result.out / "embeddings.parquet")
    by_well = table.groupby("Metadata_well")["Metadata_image_qc"].unique()
    assert {well: list(v) for well, v in by_well.items() if list(v) != [""]}.keys() == SPOILT.keys()
    site = table[table["Metadata_well"] == "C12"]
    assert (site["Metadata_saturated_1"] > 0.5).all()
    assert table[table["Metadata_well"] == "B02"][["Metadata_structure_1", "Metadata_structure_2"]].max().max() < 1.5


def test_the_report_names_the_failed_sites(result: Result) -> None:
    report = (result.out / "report.html").read_text()
    for well in SPOILT:
        assert f"BBBC013 {well}" in report
    assert "image QC: empty" in report
