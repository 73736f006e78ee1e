"""The options about the noise of wells, which `gandl fit`, `gandl screen` and `gandl analyse` share."""

from __future__ import annotations

from typing import Annotated

import typer
from gandl_science.dose_response.records.vocabulary import Null

NULL_HELP = (
    "What the activity test assumes of the wells of a compound that does nothing: `normal` noise of equal scatter; "
    "`unequal` scatter of the doses; `permutation`: wells may be exchanged between doses; `automatic`: `normal`, with "
    "checks that may overrule it."
)
ROBUST_HELP = "Lower the weight of wells that are more than 5 robust standard deviations from their replicates."
NullOption = Annotated[Null, typer.Option(help=NULL_HELP)]
RobustOption = Annotated[bool, typer.Option("--robust/--no-robust", help=ROBUST_HELP)]
