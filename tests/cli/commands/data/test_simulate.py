"""`gandl simulate`: options change the preset, and impossible ones are named."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.commands.data.simulate import simulate
from gandl_shared.errors import BadInput

from tests.cli.command_line import Gandl
from tests.cli.simulate.tiny import read_rows


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset_name": "nope"}, "unknown preset 'nope'; there are demo, screen-24, training"),
        ({"top_dose": -3.0}, "the top dose -3 is not a positive"),
        ({"replicates": 0}, "replicates: 0 is not between"),
        ({"doses": 0}, "0 doses"),
        ({"doses": 24, "replicates": 8, "replicates_per_plate": 8}, "one compound needs 192 wells"),
        ({"dose_step": 1.0}, "dose step"),
        ({"wells": 95}, "95 wells; plates have 96 or 384"),
        ({"bits": 12}, "12 bits"),
        ({"size": 10}, "size: 10"),
        ({"sites": 0}, "sites: 0"),
        ({"seed": -1}, "seed: -1"),
        ({"processes": 0}, "processes: 0"),
        ({"nuisance": -1.0}, "effects must be between 0 and 1"),
        ({"positive": 1}, "positive controls: 1"),
        ({"cell_line": ["MCF7"]}, "unknown cell line 'MCF7'; there are HRCE-like, VERO-like"),
        ({"cell_line": ["VERO-like", "VERO-like"]}, "each cell line once"),
    ],
)
def test_impossible_options_are_named(tmp_path: Path, options: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        simulate(tmp_path / "s", **options)  # type: ignore[arg-type]
    assert words in caught.value.detail
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_command_overrides_the_preset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "own.csv"
    table.write_text("compound,cell_line,ec50_um,slope,max_rescue,toxicity_ec50_um\nX,,0.7,1.1,0.8,\nY,,,,,4\n")
    out = tmp_path / "s"
    simulate(out, compounds=table, cell_line=["VERO-like"], replicates=1, doses=4, size=64, seed=9, processes=1)
    assert f"1 plates, 96 wells, 480 images in {out / 'Images'}" in capsys.readouterr().out
    truth = read_rows(out / "truth.csv")
    assert [(r["compound"], r["ec50_um"], r["expected_verdict"]) for r in truth] == [
        ("X", "0.7", "active"),
        ("Y", "", "toxic"),
    ]
    doses = {r["concentration_um"] for r in read_rows(out / "platemap.csv") if r["role"] == "treatment"}
    assert doses == {"30", "9.487", "3", "0.9487"}


def test_bad_input_is_answered_by_its_error_alone(gandl: Gandl, tmp_path: Path) -> None:
    ended = gandl("simulate", tmp_path / "s", "--preset", "nope")
    assert (ended.code, ended.out) == (2, "")
    assert ended.err == "gandl: unknown preset 'nope'; there are demo, screen-24, training\n"


def test_the_form_of_a_published_data_set_is_written(gandl: Gandl, tmp_path: Path) -> None:
    out = tmp_path / "s"
    ended = gandl("simulate", out, "--as", "rxrx1", "--size", 64, "--sites", 1, "--replicates", 1, "--processes", 1)
    assert ended.code == 0
    assert "96 simulated fields" in ended.out
    assert len(read_rows(out / "metadata.csv")) == 96


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--as", "rxrx1", "--doses", 3], "--as rxrx1 takes only"),
        (["--as", "rxrx19a", "--preset", "demo"], "a design of its own"),
        (["--as", "rxrx19a", "--size", 10], "size: 10"),
    ],
)
def test_options_that_a_form_does_not_have_are_refused(
    gandl: Gandl, tmp_path: Path, options: list[object], words: str
) -> None:
    ended = gandl("simulate", tmp_path / "s", *options)
    assert ended.code == 2
    assert words in ended.err
