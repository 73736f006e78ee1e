"""The options that say which curves are fitted, which `gandl fit`, `gandl screen` and `gandl analyse` share."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import typer
from gandl_shared.errors import Invalid, Problem, raise_if
from gandl_shared.schemas.curve import CurveChoice
from pydantic import ValidationError

from gandl.screening.option_groups import with_options

MODEL_HELP = (
    "`auto` (the data choose among constant, Hill and gain-loss), `hill`, `5pl`, `gain_loss`, or `brain_cousens` (a "
    "stimulation at low doses before the effect)."
)
Bottom = Annotated[
    str | None, typer.Option(help="Lower plateau: a number fixes it, `0:10` bounds it, `0:` bounds one side.")
]
Top = Annotated[str | None, typer.Option(help="Upper plateau, in the same way, such as `100`.")]
Slope = Annotated[
    str | None, typer.Option(help="Hill slope, in the same way; it is above 0, also where the curve falls.")
]
Share = Annotated[
    str | None,
    typer.Option(help="`bottom`, `top` or `bottom,top`: one plateau for all compounds of a cell line."),
]


@dataclass(frozen=True, kw_only=True)
class CurveShapeOptions:
    """The options as the user gave them; None stands for an option that was not given."""

    model: Annotated[str | None, typer.Option("--model", "--curve-model", help=MODEL_HELP)] = None
    bottom: Bottom = None
    top: Top = None
    slope: Slope = None
    share: Share = None

    @property
    def choice(self) -> CurveChoice:
        """The choice. Raises Invalid naming the option."""
        return curve_choice(curve_values(self.model, self.bottom, self.top, self.slope, self.share))


with_curve_options = with_options("shape", CurveShapeOptions)
"""Give a command these options in the place of its parameter `shape`."""


def curve_values(
    model: str | None, bottom: str | None, top: str | None, slope: str | None, share: str | None
) -> dict[str, object]:
    """Return the options that were given, by the names of `CurveChoice`."""
    plateaus = None if share is None else [name.strip() for name in share.split(",")]
    values = {"model": model, "bottom": bottom, "top": top, "slope": slope, "share": plateaus}
    return {name: value for name, value in values.items() if value is not None}


def curve_choice(values: dict[str, object]) -> CurveChoice:
    """Return the choice of these options. Raises Invalid naming the option."""
    try:
        return CurveChoice.model_validate(values)
    except ValidationError as error:
        problems = {str(e["loc"][0]): Problem(str(e["msg"]), field=f"--{e['loc'][0]}") for e in error.errors()}
        raise_if(list(problems.values()), Invalid, "the curves cannot be fitted so")
        raise
