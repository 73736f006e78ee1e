"""The options of an analysis as parameters, and as options of a command."""

from __future__ import annotations

import inspect
import json
from pathlib import Path

import pytest
import typer
from gandl.commands.analyse import analyse
from gandl.commands.screen import screen
from gandl.screening.analysis_options import AnalysisOptions, with_analysis_options
from gandl_science.dose_response.records.vocabulary import Null
from gandl_shared.errors import BadInput, Invalid, NotFound
from gandl_shared.schemas.analysis import AnalysisParameters
from typer.testing import CliRunner


def test_without_options_the_parameters_are_the_defaults() -> None:
    assert AnalysisOptions().read_parameters() == AnalysisParameters()
    assert AnalysisOptions().read_axes() is None


def test_an_option_wins_over_the_file_and_thresholds_are_merged(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"seed": 3, "whitening": "none", "quality": {"good": 0.9, "usable": 0.1}}))
    options = AnalysisOptions(parameters=file, seed=7, normalise="align", thresholds="usable=0.4")
    parameters = options.read_parameters()
    assert (parameters.seed, parameters.whitening, parameters.normalisation) == (7, "none", "align")
    assert (parameters.quality.good, parameters.quality.usable) == (0.9, 0.4)


@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        (AnalysisOptions(parameters=Path("nowhere.json")), NotFound, "nowhere.json is not there"),
        (AnalysisOptions(thresholds="good"), BadInput, "give NAME=NUMBER"),
        (AnalysisOptions(normalise="tvn"), Invalid, "normalisation"),
        (AnalysisOptions(axis=[Path("nowhere.npz")]), NotFound, r"nowhere\.npz"),
    ],
)
def test_what_is_wrong_is_named(options: AnalysisOptions, error: type[BadInput], words: str) -> None:
    with pytest.raises(error, match=words):
        options.read_parameters()
        options.read_axes()


def test_a_command_gets_the_options_in_one_value() -> None:
    calls: list[tuple[str, AnalysisOptions]] = []

    @with_analysis_options
    def command(name: str, *, analysis: AnalysisOptions) -> None:
        calls.append((name, analysis))

    app = typer.Typer()
    app.command()(command)
    arguments = ["x", "--seed", "4", "--axis", "a.npz", "--axis", "b.npz"]
    result = CliRunner().invoke(app, arguments)
    assert result.exit_code == 0, result.output
    assert calls == [("x", AnalysisOptions(seed=4, axis=[Path("a.npz"), Path("b.npz")]))]


def test_both_commands_have_the_same_options() -> None:
    names = {"preset", "normalise", "thresholds", "parameters", "axis", "seed"}
    for command in (analyse, screen):
        assert names <= inspect.signature(command).parameters.keys()
        assert "analysis" not in inspect.signature(command).parameters


def test_options_of_curves_win_over_the_file_one_by_one(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"curves": {"bottom": -1, "model": "5pl"}}))
    curves = AnalysisOptions(parameters=file, curve_model="hill", top="0.5:1.2").read_parameters().curves
    assert (curves.model, curves.bottom, curves.top) == ("hill", -1, "0.5:1.2")


def test_limits_that_contradict_each_other_are_refused_before_the_images_are_read() -> None:
    with pytest.raises(Invalid, match="curves.bottom: 1 is not below the top"):
        AnalysisOptions(bottom="1", top="-1").read_parameters()


def test_the_level_and_the_weights_of_the_options_are_those_of_the_parameters(tmp_path: Path) -> None:
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"curves": {"absolute": 0.2, "model": "hill"}}))
    assert AnalysisOptions(parameters=file, reference="A").read_parameters().curves.reference == "A"
    curves = AnalysisOptions(parameters=file, absolute=-0.5, weights="column").read_parameters().curves
    assert (curves.model, curves.absolute, curves.weights) == ("hill", -0.5, "column")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (AnalysisOptions(absolute=50), "curves.absolute: Input should be less than 1"),
        (AnalysisOptions(weights="1/y"), "curves.weights: Input should be 'none' or 'column'"),
        (AnalysisOptions(weights="column", null=Null.PERMUTATION), "exclude each other"),
    ],
)
def test_a_level_or_weights_without_meaning_are_refused(options: AnalysisOptions, words: str) -> None:
    with pytest.raises(Invalid, match=words):
        options.read_parameters()
