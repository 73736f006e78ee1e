"""What `gandl screen` and `gandl analyse` let one choose about an analysis: options, or a file for everything."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import typer
from gandl_shared.errors import BadInput, Invalid, NotFound, Problem, raise_if
from gandl_shared.schemas.analysis import AnalysisParameters
from pydantic import ValidationError

PresetOption = Annotated[
    str | None, typer.Option(help="`default`, or `paper`: as the paper did it, in-sample, for comparison only.")
]
NormaliseOption = Annotated[
    str | None,
    typer.Option(help="`none`, `standardise` or `align`: vectors relative to the negative controls of their plate."),
]
ThresholdsOption = Annotated[
    str | None, typer.Option(help="Thresholds of the quality verdict, such as `good=0.6,usable=0.2,controls=8`.")
]
ParametersOption = Annotated[
    Path | None,
    typer.Option(help="JSON file with any parameters of an analysis (the `analysis` of `POST /screens`), also axes."),
]
AxisOption = Annotated[
    list[Path] | None,
    typer.Option(help="Efficacy axis of an earlier screen (axes/E2-….npz) to score by; once for each cell line."),
]
SeedOption = Annotated[int | None, typer.Option(min=0, help="Seed of every random step; 0 if absent.")]


@dataclass(frozen=True)
class AnalysisOptions:
    """As they were given; None is not given. An option wins over the file."""

    preset: str | None = None
    normalise: str | None = None
    thresholds: str | None = None
    seed: int | None = None
    parameters: Path | None = None

    def read(self) -> AnalysisParameters:
        """The parameters. Raises NotFound, BadInput, and Invalid naming each field with what would mend it."""
        given = dict(_from_file(self.parameters)) if self.parameters else {}
        named = {"preset": self.preset, "normalisation": self.normalise, "seed": self.seed}
        given |= {name: value for name, value in named.items() if value is not None}
        if self.thresholds is not None:
            before = given.get("quality")
            given["quality"] = {**(before if isinstance(before, Mapping) else {}), **_thresholds(self.thresholds)}
        if given.get("axis_from") is not None:
            problem = Problem("names a screen of a service; give --axis FILE.npz here", field="axis_from")
            raise_if([problem], Invalid, "the parameters cannot be used")
        return _validated(given, self.parameters.name if self.parameters else None)


def _from_file(path: Path) -> Mapping[str, object]:
    if not path.is_file():
        raise NotFound(f"parameters {path} is not there; give the path of a JSON file")
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise BadInput(f"parameters {path.name} is not JSON: {error}") from error
    if not isinstance(found, Mapping):
        raise BadInput(f'parameters {path.name} must be a JSON object, such as {{"normalisation": "align"}}')
    return found


def _thresholds(text: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.partition("=")
        try:
            found[name.strip()] = float(value)
        except ValueError as error:
            raise BadInput(f"--thresholds '{part}': give NAME=NUMBER, such as good=0.6") from error
    return found


def _validated(given: Mapping[str, object], file: str | None) -> AnalysisParameters:
    try:
        # As JSON, so that a file says the same as the body of a request.
        return AnalysisParameters.model_validate_json(json.dumps(given))
    except ValidationError as error:
        problems = [
            Problem(str(e["msg"]), file=file, field=".".join(str(part) for part in e["loc"]) or None)
            for e in error.errors()
        ]
        raise_if(problems, Invalid, "the parameters cannot be used")
        raise
