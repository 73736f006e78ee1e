"""The options of an analysis, which `gandl screen` and `gandl analyse` share, and a file for all its parameters."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from gandl_analysis.formats.axis_file import read_axis_files
from gandl_analysis.pipeline.curves.choices import curve_request
from gandl_analysis.pipeline.inputs import EarlierAxes
from gandl_science.dose_response.records.vocabulary import Null
from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.schemas.analysis import AnalysisParameters
from pydantic import ValidationError

from gandl.screening.curve_options import MODEL_HELP, Bottom, Share, Slope, Top, curve_values
from gandl.screening.noise_options import NULL_HELP, ROBUST_HELP
from gandl.screening.option_groups import with_options


@dataclass(frozen=True, kw_only=True)
class AnalysisOptions:
    """The options as the user gave them; None stands for an option that was not given. Options win over the file."""

    preset: Annotated[
        str | None, typer.Option(help="`default`, or `paper`: as in the paper, in-sample, for comparison only.")
    ] = None
    normalise: Annotated[
        str | None,
        typer.Option(
            help="`none`, `standardise`, `align` or `pca_mad` (scale, PCA 64, plate MAD): vectors relative to the "
            "negative controls of their plate."
        ),
    ] = None
    null: Annotated[Null | None, typer.Option(help=NULL_HELP, show_default=False)] = None
    robust: Annotated[
        bool | None,
        typer.Option("--robust/--no-robust", help=ROBUST_HELP, show_default=False),
    ] = None
    thresholds: Annotated[
        str | None, typer.Option(help="Thresholds of the quality verdict, such as `good=0.6,usable=0.2,controls=8`.")
    ] = None
    vehicle: Annotated[
        bool | None,
        typer.Option(
            "--vehicle/--no-vehicle",
            help="The negative controls are the vehicle: those of a plate are the zero dose of its compounds.",
        ),
    ] = None
    parameters: Annotated[
        Path | None,
        typer.Option(help="JSON file with any parameters of an analysis (`analysis` of `POST /screens`), also axes."),
    ] = None
    axis: Annotated[
        list[Path] | None,
        typer.Option(help="Efficacy axis of an earlier screen (axes/E2-….npz) to score by; one for each cell line."),
    ] = None
    curve_model: Annotated[str | None, typer.Option(help=f"Dose-response curves: {MODEL_HELP}")] = None
    bottom: Bottom = None
    top: Top = None
    slope: Slope = None
    share: Share = None
    absolute: Annotated[
        float | None,
        typer.Option(
            help="Efficacy at which the absolute EC50 is read, between the controls at -1 and 1; 0, which is the "
            "midpoint, if absent."
        ),
    ] = None
    weights: Annotated[
        str | None,
        typer.Option(help="Weights of the wells: `none`, or the `column` weight of the plate map."),
    ] = None
    reference: Annotated[
        str | None,
        typer.Option(help="Compound to which the potency of the others is related, with a test of parallel curves."),
    ] = None
    seed: Annotated[int | None, typer.Option(min=0, help="Seed of every random step; 0 if absent.")] = None

    def read_axes(self) -> EarlierAxes | None:
        """Return the axes of an earlier screen, or None. Raises NotFound and Invalid naming the file."""
        return read_axis_files(self.axis) if self.axis else None

    def read_parameters(self) -> AnalysisParameters:
        """Return the parameters. Raises NotFound, BadInput, and Invalid naming each field and its fix."""
        values = dict(_from_file(self.parameters)) if self.parameters else {}
        options = {"preset": self.preset, "normalisation": self.normalise, "seed": self.seed, "vehicle": self.vehicle}
        values |= {name: value for name, value in options.items() if value is not None}
        noise = {"null": self.null, "downweight_outliers": self.robust}
        noise = {name: value for name, value in noise.items() if value is not None}
        if noise:
            values["noise"] = {**_group(values, "noise"), **noise}
        if self.thresholds is not None:
            values["quality"] = {**_group(values, "quality"), **_thresholds(self.thresholds)}
        curves = curve_values(self.curve_model, self.bottom, self.top, self.slope, self.share)
        further = {"absolute": self.absolute, "weights": self.weights, "reference": self.reference}
        curves |= {name: value for name, value in further.items() if value is not None}
        if curves:
            values["curves"] = {**_group(values, "curves"), **curves}
        if values.get("axis_from") is not None:
            problem = Problem("names a screen of a service; give --axis FILE.npz instead", field="axis_from")
            raise_if([problem], Invalid, "the parameters cannot be used")
        parameters = _validated(values, self.parameters.name if self.parameters else None)
        # Contradictory limits are refused before the images are embedded, which takes long.
        curve_request(parameters.curves)
        return parameters


with_analysis_options = with_options("analysis", AnalysisOptions)
"""Give a command these options in the place of its parameter `analysis`."""


def _from_file(path: Path) -> Mapping[str, object]:
    if not path.is_file():
        raise NotFound(f"parameters {path} is not there; give the path of a JSON file")
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"parameters {path.name} is not JSON: {error}") from error
    if not isinstance(values, Mapping):
        raise BadInput(f'parameters {path.name} must be a JSON object, such as {{"normalisation": "align"}}')
    return values


def _group(values: Mapping[str, object], name: str) -> Mapping[str, object]:
    """Return a group of parameters of the file; empty where it has none."""
    group = values.get(name)
    return group if isinstance(group, Mapping) else {}


def _thresholds(text: str) -> dict[str, float]:
    thresholds: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        try:
            thresholds[name.strip()] = float(value)
        except ValueError as error:
            raise BadInput(f"--thresholds '{part}': give NAME=NUMBER, such as good=0.6") from error
    return thresholds


def _validated(values: Mapping[str, object], file: str | None) -> AnalysisParameters:
    try:
        # Values go through JSON, so that a file means the same as the body of a request.
        return AnalysisParameters.model_validate_json(json.dumps(values))
    except ValidationError as error:
        problems = [
            Problem(str(e["msg"]), file=file, field=".".join(str(part) for part in e["loc"]) or None)
            for e in error.errors()
        ]
        raise_if(problems, Invalid, "the parameters cannot be used")
        raise
