"""The tables beside the images."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from gandl.simulate.cells.morphology import STAINS
from gandl.simulate.plates.layout import plan
from gandl.simulate.plates.tables import write_tables

from tests.cli.simulate.tiny import TINY, read_rows


def test_the_truth_is_by_compound_cell_line_and_well(tmp_path: Path) -> None:
    design = replace(TINY, cell_lines=("HRCE-like", "VERO-like"))
    write_tables(tmp_path, design, plan(design))
    truth = {(row["compound"], row["cell_line"]): row for row in read_rows(tmp_path / "truth.csv")}
    assert truth["A", "HRCE-like"]["ec50_um"] == "1" and truth["A", "HRCE-like"]["expected_verdict"] == "active"
    assert truth["B", "HRCE-like"]["ec50_um"] == "" and truth["B", "HRCE-like"]["expected_verdict"] == "inactive"
    assert truth["B", "VERO-like"]["ec50_um"] == "2"
    efficacy = {(r["plate"], r["well"]): float(r["efficacy"]) for r in read_rows(tmp_path / "truth_wells.csv")}
    for well in read_rows(tmp_path / "platemap.csv"):
        expected = {"positive_control": 1.0, "negative_control": -1.0}.get(well["role"])
        if expected is not None:
            assert efficacy[well["plate"], well["well"]] == expected


def test_the_design_has_everything_that_decided_the_images(tmp_path: Path) -> None:
    write_tables(tmp_path, TINY, plan(TINY))
    design = json.loads((tmp_path / "design.json").read_text())
    assert design["seed"] == 5 and design["channels"] == list(STAINS)
    assert design["compounds"][1] == {
        "name": "B",
        "response": vars(TINY.compounds[1].response),
        "in_line": {"VERO-like": vars(TINY.compounds[1].in_line["VERO-like"])},
    }


def test_a_number_has_six_digits_and_an_absent_one_is_empty(tmp_path: Path) -> None:
    write_tables(tmp_path, TINY, plan(TINY))
    doses = {row["concentration_um"] for row in read_rows(tmp_path / "platemap.csv")}
    assert doses == {"", "1", "3.162", "10"}
