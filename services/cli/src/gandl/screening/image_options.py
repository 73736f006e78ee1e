"""Options of the command line that say how image files become images, for `gandl screen` and `gandl embed`."""

from __future__ import annotations

from typing import Annotated, Literal

import typer
from gandl_shared.errors import BadInput

Pattern = Annotated[str | None, typer.Option(help="Pattern of the file names, or the name of a preset.")]
Channels = Annotated[str | None, typer.Option(help="Channels to use, in the order of the model, such as 1,2,4.")]

LimitSource = Literal["plate", "card"]
"""Whose intensity limits are used: percentiles of each plate, or the limits of the model card."""


def channel_list(channels: str | None) -> tuple[str, ...] | None:
    """Return the channels of a comma-separated text, or None where there is no text."""
    return tuple(channels.split(",")) if channels else None


def limit_source(limits: str) -> LimitSource:
    """Return the source of the intensity limits. Raises BadInput for another word."""
    match limits:
        case "plate" | "card":
            return limits
        case _:
            raise BadInput(f"--limits {limits} is unknown; use card or plate")
