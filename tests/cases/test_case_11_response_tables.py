"""Tables of responses as people have them: equal replicates and doses in drops are fitted, with a flag or a note."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from gandl_analysis.formats.response_table import read_responses
from gandl_science.arrays import Float
from gandl_shared.errors import InvalidTable

from tests.cli.command_line import Gandl

DOSES = np.array([0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10])


def hill(doses: Float, ec50: float, slope: float, bottom: float, top: float) -> Float:
    return np.asarray(bottom + (top - bottom) / (1 + (ec50 / doses) ** slope))


def write(path: Path, doses: Iterable[float], responses: Iterable[float]) -> Path:
    lines = [
        f"X,L,{dose!r},{response!r}" for dose, response in zip(map(float, doses), map(float, responses), strict=True)
    ]
    path.write_text("compound,cell_line,concentration_um,response\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


KILLED = (np.repeat(DOSES, 2), np.repeat([100.0, 100, 100, 100, 0, 0, 0, 0], 2))
PERCENT = (np.repeat(DOSES, 2), np.repeat(np.rint(hill(DOSES, 0.2, 4, 100, 0)), 2))
NOISEFREE = (np.repeat(DOSES, 3), np.round(np.repeat(hill(DOSES, 0.1, 1, 0, 100), 3), 6))


@pytest.mark.parametrize(
    ("table", "low", "high"),
    [(KILLED, 0.1, 0.3), (PERCENT, 0.19, 0.21), (NOISEFREE, 0.099, 0.101)],
    ids=["killed", "percent", "noisefree"],
)
def test_equal_replicates_are_fitted_with_a_flag(
    gandl: Gandl, tmp_path: Path, table: tuple[Sequence[float], Sequence[float]], low: float, high: float
) -> None:
    path, out = write(tmp_path / "t.csv", *table), tmp_path / "curves.jsonl"
    ended = gandl("fit", path, "--out", out)
    assert ended.code == 0, ended.err
    assert "note: Row 3 repeats row 2, and so do all rows at every dose of X in L" in ended.err
    curve = json.loads(out.read_text())
    assert (curve["verdict"], curve["ec50"]["relation"]) == ("active", "=")
    assert low <= curve["ec50"]["value"] <= high
    assert "equal_replicates" in curve["flags"]


def test_doses_in_drops_give_the_curve_of_the_nominal_doses(gandl: Gandl, tmp_path: Path) -> None:
    nominal = np.repeat(DOSES, 3)
    responses = hill(nominal, 0.1, 1.2, 0, 100) + np.random.default_rng(7).normal(0, 3, 24)
    curves = []
    for name, doses in {"nominal": nominal, "echo": nominal * np.tile([0.9975, 1, 1.0125], 8)}.items():
        path, out = write(tmp_path / f"{name}.csv", doses, responses), tmp_path / f"{name}.jsonl"
        ended = gandl("fit", path, "--out", out)
        assert ("were read as one dose" in ended.err) is (name == "echo")
        curves.append(json.loads(out.read_text()))
    assert curves[0] == curves[1]
    assert "low_replicates" not in curves[1]["flags"]
    assert curves[1]["n_doses"] == 8


def test_a_column_of_another_unit_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "table.csv"
    path.write_text("compound,cell_line,concentration_um,response,unit\nA,U2OS,300,0.5,nM\n", encoding="utf-8")
    with pytest.raises(InvalidTable, match=r"the unit 'nM' is not that of the results, uM"):
        read_responses(path)
