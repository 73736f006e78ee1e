"""`gandl reproduce`: a table or figure of the paper from a folder of data, with the paper's numbers beside."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandl.paper.features import is_simulated
from gandl.paper.items import PaperData, PaperItem, pages_of
from gandl.paper.pages import write_pages
from gandl.screening.memory import keep_memory_for
from gandl.screening.plate_maps import PositiveControl, positive_words


def reproduce(
    item: Annotated[PaperItem, typer.Argument(help="What to draw.")],
    folder: Annotated[
        Path, typer.Argument(help="RxRx19a or RxRx1 as published: metadata.csv, images, embeddings.csv or .parquet.")
    ],
    *,
    out: Annotated[Path, typer.Option(help="Folder for the figures (SVG, PNG) and tables (CSV).")],
    features: Annotated[
        list[str] | None,
        typer.Option(
            help="NAME=PATH of features to compare with the published ones: the output folder of `gandl screen`, the "
            "table of `gandl embed` (figure6), or a table that `gandl analyse` reads. May be repeated."
        ),
    ] = None,
    compound: Annotated[
        list[str] | None,
        typer.Option(help="Compound to highlight; those of the paper if absent. May be repeated."),
    ] = None,
    positive_control: PositiveControl = None,
) -> None:
    """Draw a table or figure of the paper from a published data set, with the paper's numbers beside.

    Table 1, Figure 1 (fields), Figure 3 (E2 and C2), Figure 4 (E2 by concentration), Figure 5 (dose-response) and
    Figure 6 (cell types).
    """
    keep_memory_for(folder.glob("embeddings.*"))
    positive = positive_words(positive_control)
    data = PaperData(folder=folder, features=features or (), compounds=compound or (), positive=positive)
    pages = pages_of(item, data)
    for path in write_pages(out, pages, simulated=is_simulated(folder)):
        typer.echo(path)
