"""Options of the command line for the plate map, which a published data set has beside its images."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from gandl_shared.errors import BadInput
from gandl_shared.plates import find_table

PositiveControl = Annotated[
    str | None,
    typer.Option(
        help="Positive control of a published data set: mock (RxRx19a, the default), irradiated or both, separated by "
        "a comma; a compound of BBBC021, with a dose in µM as in taxol@0.3."
    ),
]


def plate_map_file(images: Path, platemap: Path | None) -> Path:
    """Return the plate map: that of the user, or the table of a published data set. Raises BadInput without one."""
    path = platemap or find_table(images)
    if path is None:
        raise BadInput(
            f"there is no plate map: give --platemap, because neither {images} nor a folder above it holds the "
            "metadata.csv of RxRx19a or RxRx1 or the image table of BBBC021"
        )
    return path


def positive_words(option: str | None) -> tuple[str, ...]:
    """Return the words of the option; a comma separates them."""
    return tuple(word.strip() for word in (option or "").split(",") if word.strip())
