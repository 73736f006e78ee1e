"""`gandl probe`, as a user types it."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
import typer
from gandl.commands.featurizers.probe import probe
from gandl_shared.errors import BadInput
from typer.testing import CliRunner

from tests.cases.plates import write_images, write_plate_map
from tests.cli.probing.images import PATTERN, write_cells

SINGLE = ("--single-cells", "--labels", "phenotype", "--groups", "plate", "--tile-size", "16")


def call(*arguments: object) -> str:
    app = typer.Typer()
    app.command("probe")(probe)
    result = CliRunner().invoke(app, list(map(str, arguments)))
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.output


def test_several_featurizers_on_single_cells(tmp_path: Path) -> None:
    cells, out = write_cells(tmp_path / "cells"), tmp_path / "f1.csv"
    output = call(cells, "--model", "intensity", "--model", "pca", "--names", PATTERN, "--out", out, *SINGLE)
    assert "32 images, 2 labels, 4 folds over 4 groups; 95 % intervals resample groups." in " ".join(output.split())
    assert output.count("1.00 (1.00 to 1.00)") == 2  # 32 components of noise hide the brightness
    with out.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [(r["model"], r["measure"], r["label"], r["images"], r["value"]) for r in rows[:4]] == [
        ("intensity", "weighted_f1", "", "32", "1.0000"),
        ("intensity", "macro_f1", "", "32", "1.0000"),
        ("intensity", "f1", "bright", "16", "1.0000"),
        ("intensity", "f1", "dim", "16", "1.0000"),
    ]


def test_labels_from_a_table(tmp_path: Path) -> None:
    cells, table = write_cells(tmp_path / "cells"), tmp_path / "labels.csv"
    lines = [f"{p.relative_to(cells)},{p.parent.name},{p.name[:2]}" for p in sorted(cells.rglob("*.png"))[1:]]
    table.write_text("\n".join(["file,phenotype,plate", *lines]))
    output = call(cells, "--model", "intensity", "--table", table, *SINGLE)
    assert "Note: 1 images without a label or a group were left out." in " ".join(output.split())


def test_labels_of_plates_are_those_of_the_plate_map(tmp_path: Path) -> None:
    images, platemap = write_images(tmp_path / "images"), write_plate_map(tmp_path / "map.csv")
    output = call(images, "--platemap", platemap, "--model", "intensity", "--labels", "role", "--groups", "row")
    assert "3 labels" in output


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "give either --table or --names"),
        (("--names", PATTERN, "--platemap", "map.csv"), "--platemap and options which choose or combine"),
        (("--names", PATTERN, "--channels", "1"), "have no effect: leave them out"),
    ],
)
def test_options_of_plates_do_not_go_with_single_cells(tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        call(write_cells(tmp_path / "cells"), "--model", "intensity", *SINGLE, *options)


def test_options_of_single_cells_do_not_go_with_plates(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--table, --names and --channel-names are for --single-cells"):
        call(tmp_path, "--model", "intensity", "--names", PATTERN, "--labels", "role", "--groups", "plate")
