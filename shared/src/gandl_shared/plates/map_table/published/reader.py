"""Which published data set a table belongs to, and where it lies beside the images."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gandl_shared.errors import BadInput
from gandl_shared.plates.map_table.published.bbbc021 import (
    MOA_TABLE,
    Mechanisms,
    is_bbbc021,
    mechanisms,
    read_bbbc021,
)
from gandl_shared.plates.map_table.published.positive import EVERY_CONTROL
from gandl_shared.plates.map_table.published.recursion import is_recursion, read_recursion
from gandl_shared.plates.map_table.reading import MapReading
from gandl_shared.plates.tables import Table, TableForm, read_table

TABLE_NAMES = ("metadata.csv", "BBBC021_v1_image.csv")
"""The names under which the tables lie beside the images of a data set."""

_MAX_PARENTS = 3
"""Plates lie at most so deep: `images/HRCE-1/Plate1` below the folder with the table."""
_MAX_HEADER_CHARACTERS = 10_000


def read_published(table: Table, positive: Sequence[str], folder: Path | None, form: TableForm) -> MapReading | None:
    """Return the wells of a published table, or None for a plate map of a user.

    `positive` names the positive control, where the data set leaves the choice. `folder` is that of the table, where
    the mechanisms of action of BBBC021 lie. Raises InvalidPlateMap where a column is missing, and BadInput for a
    positive control that the data set does not have or a plate map decides.
    """
    if is_recursion(table.header):
        return read_recursion(table, positive)
    if is_bbbc021(table.header):
        return read_bbbc021(table, positive, _mechanisms(folder, form))
    if positive and tuple(positive) != EVERY_CONTROL:
        detail = f"--positive-control {','.join(positive)} does not suit {table.source}, whose roles decide"
        raise BadInput(f"{detail}; leave the option out, or write the role into the plate map")
    return None


def find_table(images: Path) -> Path | None:
    """Return the table of a published data set in a folder of images or above it, None where there is none."""
    root = images.resolve()
    folders = (root, *list(root.parents)[:_MAX_PARENTS]) if root.is_dir() else ()
    paths = (folder / name for folder in folders for name in TABLE_NAMES)
    return next((path for path in paths if path.is_file() and _has_published_header(path)), None)


def _has_published_header(path: Path) -> bool:
    with path.open(encoding="utf-8", errors="replace") as file:
        header = file.readline(_MAX_HEADER_CHARACTERS).strip().split(",")
    names = [name.strip('"') for name in header]
    return is_recursion(names) or is_bbbc021(names)


def _mechanisms(folder: Path | None, form: TableForm) -> Mechanisms | None:
    path = None if folder is None else folder / MOA_TABLE
    return mechanisms(read_table(path, form)) if path is not None and path.is_file() else None
