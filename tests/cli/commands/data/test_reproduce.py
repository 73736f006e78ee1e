"""`gandl reproduce` on small folders: every item, the paper's numbers beside, and one line for what is wrong."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from PIL import Image

from tests.cli.command_line import Gandl
from tests.cli.paper.small import COMPOUNDS, write_rxrx19a

NAMED = [word for name in COMPOUNDS for word in ("--compound", name)]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in the form of RxRx19a without images."""
    return write_rxrx19a(tmp_path_factory.mktemp("data") / "rxrx19a", simulated=True)


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_table_1_has_four_tasks_in_four_ways_with_the_papers_numbers(gandl: Gandl, data: Path, tmp_path: Path) -> None:
    assert gandl("reproduce", "table1", data, "--out", tmp_path / "out").code == 0
    rows = table(tmp_path / "out/table1.csv")
    assert len(rows) == 16
    first = rows[0]
    assert (first["task"], first["tested_on"]) == ("C+ vs C-", "unseen experiments")
    assert first["features"] == "drawn vectors (simulated)"
    assert (first["paper_gan_dl"], first["paper_published_embedding"]) == ("91.4", "95.81")
    assert float(first["accuracy_percent"]) > 95
    assert "SIMULATED DATA" in (tmp_path / "out/table1.svg").read_text()
    assert Image.open(tmp_path / "out/table1.png").width > 400


@pytest.mark.slow
def test_planes_are_scaled_as_in_the_paper_in_both_ways(gandl: Gandl, data: Path, tmp_path: Path) -> None:
    for item, named in (("figure3", []), ("figure4", NAMED)):
        assert gandl("reproduce", item, data, "--out", tmp_path, *named).code == 0
    for name in ("figure3", "figure3-held-out"):
        rows = table(tmp_path / f"{name}.csv")
        assert {row["space"] for row in rows} == {"E2", "C2"}
        off = [float(row["off_centred"]) for row in rows if row["space"] == "C2"]
        assert max(abs(float(row["on_min_max"])) for row in rows) <= 1
        assert abs(sum(off) / len(off)) < 1
    highest = [float(r["on_min_max"]) for r in table(tmp_path / "figure4.csv") if r["concentration_um"] == "30"]
    lowest = [float(r["on_min_max"]) for r in table(tmp_path / "figure4.csv") if r["concentration_um"] == "0.1"]
    assert max(highest) > max(lowest)


def test_figure_5_marks_named_and_highest_compounds(gandl: Gandl, data: Path, tmp_path: Path) -> None:
    ended = gandl("reproduce", "figure5", data, "--out", tmp_path, *NAMED)
    assert ended.code == 0
    rows = table(tmp_path / "figure5.csv")
    top = [row for row in rows if row["compound"] == COMPOUNDS[0] and row["concentration_um"] == "30"]
    assert all(float(row["mean_efficacy"]) > 0.5 for row in top)
    assert {row["highlighted"] for row in top} == {"named highest 1"}
    assert len(rows) == 2 * 2 * 6


def test_figure_6_counts_every_image(gandl: Gandl, data: Path, tmp_path: Path) -> None:
    assert gandl("reproduce", "figure6", data, "--out", tmp_path).code == 0
    rows = table(tmp_path / "figure6.csv")
    assert sum(int(row["n_images"]) for row in rows if row["n_images"]) == 2 * 2 * 2 * 24
    assert {row["held_out"] for row in rows} == {"experiments", ""}
    assert rows[-1]["features"] == "paper: DenseNet of ImageNet"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["figure4"], "no compound Remdesivir, GS-441524, Polydatin; give --compound"),
        (["figure5", "--compound", "Nothing"], "no compound Nothing"),
        (["table1", "--features", "gan-dl"], "give NAME=PATH"),
        (["table1", "--features", "x=nowhere.parquet"], "there is no file or folder nowhere.parquet"),
        (["table1", "--features", "drawn vectors (simulated)=."], "stands for two tables"),
        (["table1", "--positive-control", "taxol"], "no control of RxRx19a"),
        (["table1", *NAMED], "--compound changes nothing in table1; leave it out, it is for figure1, figure4, figure5"),
        (["figure6", "--positive-control", "mock"], "--positive-control changes nothing in figure6"),
        (
            ["table1", "--features", "gan-dl=.", "--positive-control", "irradiated"],
            "--positive-control does not reach gan-dl: the output folder of a screen has the controls",
        ),
    ],
)
def test_what_is_wrong_is_one_line(gandl: Gandl, data: Path, tmp_path: Path, options: list[str], words: str) -> None:
    ended = gandl("reproduce", options[0], data, "--out", tmp_path / "out", *options[1:])
    assert ended.code == 2
    assert words in ended.err
    assert not (tmp_path / "out").exists()


def test_a_folder_without_features_or_metadata_is_refused(gandl: Gandl, data: Path, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    assert (
        "has no embeddings.parquet or embeddings.csv"
        in gandl("reproduce", "table1", tmp_path / "empty", "--out", tmp_path / "out").err
    )
    (tmp_path / "empty/embeddings.csv").write_bytes((data / "embeddings.csv").read_bytes())
    assert "has no metadata.csv" in gandl("reproduce", "table1", tmp_path / "empty", "--out", tmp_path / "out").err
    assert "there is no folder" in gandl("reproduce", "table1", tmp_path / "x", "--out", tmp_path / "out").err
