"""`gandl screen` on a real plate, as a user runs it, against what segmentation finds on the same pixels."""

from __future__ import annotations

import csv
import json
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
from gandl_embedding.engine import Engine
from scipy.stats import spearmanr

Run = Callable[..., "subprocess.CompletedProcess[str]"]
MODEL = Path(__file__).parents[2] / "models" / "gandl-bbbc013-64.onnx"


@dataclass(frozen=True)
class Result:
    out: Path
    stdout: str

    def table(self, name: str) -> list[dict[str, str]]:
        with (self.out / name).open(newline="") as file:
            return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def result(bbbc013: Path, gandl: Run, tmp_path_factory: pytest.TempPathFactory) -> Result:
    out = tmp_path_factory.mktemp("bbbc013") / "out"
    files = ["--platemap", bbbc013 / "platemap.csv", "--model", MODEL, "--out", out]
    ran = gandl("screen", bbbc013 / "images", *files)
    assert ran.returncode == 0, ran.stderr
    return Result(out, ran.stdout)


def test_writes_exactly_the_files_of_a_screen(result: Result) -> None:
    names = [
        "axes",
        "dose_response.csv",
        "dose_response_covariances.csv",
        "dose_response_lines.csv",
        "dose_response_wells.csv",
        "embeddings.parquet",
        "images.parquet",
        "quality.json",
        "report.html",
        "sites.csv",
        "thumbnails.parquet",
        "wells.csv",
    ]
    assert sorted(p.name for p in result.out.iterdir()) == names
    assert [p.name for p in (result.out / "axes").iterdir()] == ["E2-U2OS.npz"]


@pytest.mark.parametrize(("compound", "low", "high"), [("Wortmannin", 0.006, 0.024), ("LY294002", 2.5, 10.0)])
def test_ec50_is_that_of_segmentation_within_a_factor_of_2(
    result: Result, compound: str, low: float, high: float
) -> None:
    (row,) = [r for r in result.table("dose_response.csv") if r["compound"] == compound]
    assert (row["verdict"], row["ec50_relation"]) == ("active", "=")
    assert low < float(row["ec50_um"]) < high
    assert float(row["ec50_low_um"]) < float(row["ec50_um"]) < float(row["ec50_high_um"])


@pytest.mark.parametrize("compound", ["Wortmannin", "LY294002"])
def test_efficacy_follows_dose(result: Result, compound: str) -> None:
    rows = [r for r in result.table("wells.csv") if r["compound"] == compound and r["role"] == "treatment"]
    doses, efficacies = zip(*((float(r["concentration_um"]), float(r["efficacy"])) for r in rows), strict=True)
    assert len(rows) == 36
    assert spearmanr(doses, efficacies).statistic >= 0.75


def test_controls_are_told_apart_where_they_were_held_out(result: Result) -> None:
    quality = json.loads((result.out / "quality.json").read_text())["cell_lines"]["U2OS"]
    assert (quality["n_positive"], quality["n_negative"], quality["grouped_by"]) == (8, 16, "row")
    assert quality["accuracy"] >= 0.95
    # Plain intensity statistics reach 0.34 on this plate: a featurizer has to be worth its training.
    assert quality["z_prime"] > 0.34


def test_anchors_are_the_control_means(result: Result) -> None:
    wells = pd.read_csv(result.out / "wells.csv")
    means = wells.groupby("role")["efficacy"].mean()
    assert means["positive_control"] == pytest.approx(1, abs=1e-9)
    assert means["negative_control"] == pytest.approx(-1, abs=1e-9)


def test_embeddings_are_profiles(result: Result) -> None:
    table = pd.read_parquet(result.out / "embeddings.parquet")
    features = [c for c in table.columns if c.startswith("gandl_")]
    assert (len(table), len(features)) == (96 * 25, Engine.load(MODEL).card.features)
    assert {c for c in table.columns if c not in features} >= {
        "Metadata_plate",
        "Metadata_well",
        "Metadata_site",
        "Metadata_tile",
        "Metadata_role",
        "Metadata_compound",
        "Metadata_concentration_um",
        "Metadata_cell_line",
    }
    assert table[features].notna().all(axis=None)


def test_the_report_is_one_file_that_needs_no_network(result: Result) -> None:
    text = (result.out / "report.html").read_text()
    assert "Wortmannin" in text
    for outside in ('src="http', 'href="http', "url(http", "@import"):
        assert outside not in text


def test_sites_and_tiles_have_efficacies(result: Result) -> None:
    tiles, wells = pd.read_parquet(result.out / "embeddings.parquet"), pd.read_csv(result.out / "wells.csv")
    sites = pd.read_csv(result.out / "sites.csv")
    blank = tiles["Metadata_contrast"] < 8  # tiles without cells count in no well that has others
    assert (len(tiles), len(sites), sites["n_tiles"].sum()) == (96 * 25, 96, 96 * 25 - blank.sum())
    assert 0 < blank.mean() < 0.05
    assert (tiles["Metadata_efficacy"].isna() == blank).all()
    by_well = tiles.groupby(["Metadata_plate", "Metadata_well"])["Metadata_efficacy"].mean()
    expected = wells.set_index(["plate", "well"])["efficacy"]
    assert by_well.to_numpy() == pytest.approx(expected.loc[by_well.index].to_numpy(), abs=1e-9)


def test_analysed_again_without_images_it_gives_the_same_files(result: Result, gandl: Run, tmp_path: Path) -> None:
    out = tmp_path / "again"
    ran = gandl("analyse", result.out, "--out", out)
    assert ran.returncode == 0, ran.stderr
    names = [
        "wells.csv",
        "sites.csv",
        "dose_response.csv",
        "dose_response_covariances.csv",
        "dose_response_lines.csv",
        "dose_response_wells.csv",
        "quality.json",
        "report.html",
        "axes/E2-U2OS.npz",
    ]
    for name in (*names, "embeddings.parquet"):
        assert (out / name).read_bytes() == (result.out / name).read_bytes(), name


def test_what_the_paper_did_is_for_comparison(result: Result, gandl: Run, tmp_path: Path) -> None:
    ran = gandl("analyse", result.out, "--preset", "paper", "--out", tmp_path)
    assert ran.returncode == 0, ran.stderr
    assert "in-sample" in ran.stdout
    quality = json.loads((tmp_path / "quality.json").read_text())
    assert quality["cell_lines"]["U2OS"]["in_sample"] is True
    assert quality["cell_lines"]["U2OS"]["verdict"] == "undetermined"


@pytest.mark.slow
def test_again_gives_the_same_numbers_bit_for_bit(result: Result, bbbc013: Path, gandl: Run, tmp_path: Path) -> None:
    files = ["--platemap", bbbc013 / "platemap.csv", "--model", MODEL, "--out", tmp_path / "again"]
    assert gandl("screen", bbbc013 / "images", *files).returncode == 0
    for name in (
        "wells.csv",
        "dose_response.csv",
        "dose_response_covariances.csv",
        "dose_response_lines.csv",
        "dose_response_wells.csv",
        "quality.json",
    ):
        assert (tmp_path / "again" / name).read_bytes() == (result.out / name).read_bytes()
