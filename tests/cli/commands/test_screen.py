"""`gandl screen` with a small model on a small plate."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.testing import Layout, PlateFolder, write_plate

from tests.cli.command_line import Gandl


@pytest.fixture
def plate(tmp_path: Path) -> PlateFolder:
    return write_plate(tmp_path / "plate", Layout(rows="ABCD", columns=4))


def arguments(plate: PlateFolder, model: Path, out: Path) -> list[object]:
    return ["screen", plate.images, "--platemap", plate.platemap, "--model", model, "--out", out]


def test_a_screen_prints_quality_curves_and_the_report(
    gandl: Gandl, plate: PlateFolder, model_file: Path, tmp_path: Path
) -> None:
    ended = gandl(*arguments(plate, model_file, tmp_path / "out"), "--threads", 1)
    assert ended.code == 0, ended.err
    assert "U2OS" in ended.out and "tile accuracy" in ended.out and "EC50 µM" in ended.out
    assert ended.out.splitlines()[-1] == str(tmp_path / "out" / "report.html")
    assert (tmp_path / "out" / "report.html").is_file()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["--limits", "own"], "--limits own is unknown; use card or plate"),
        (["--preset", "papers"], "preset"),
        (["--channels", "1,2,3"], "channel '3' is not among 1, 2"),
        (["--axis", "nowhere.npz"], "nowhere.npz"),
    ],
)
def test_bad_options_are_answered_by_their_error_alone(
    gandl: Gandl, plate: PlateFolder, model_file: Path, tmp_path: Path, options: list[str], words: str
) -> None:
    ended = gandl(*arguments(plate, model_file, tmp_path / "out"), *options)
    assert (ended.code, ended.out) == (2, "")
    assert words in ended.err
    assert not (tmp_path / "out").exists()
