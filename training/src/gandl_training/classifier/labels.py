"""The labels of wells from a column of the plate map, and which wells are held out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gandl_shared.errors import BadInput, NotEnoughData
from gandl_shared.plates import PlateMap, Role, Well

from gandl_training.data.field_store import FieldRecord

MAX_CLASSES = 1000
HOLDOUT = 0.2
"""The share of the wells of each class that is not trained on, to measure the accuracy; at least one well."""
_COLUMNS = ("role", "cell_line", "compound")


@dataclass(frozen=True, kw_only=True)
class LabelledFields:
    """The classes, and the indices of the fields of each class: those that are trained on, and those held out.

    `held_out` has one group of fields for each well, with the index of its class.
    """

    column: str
    classes: tuple[str, ...]
    training: tuple[tuple[int, ...], ...]
    held_out: tuple[tuple[int, tuple[int, ...]], ...]


def label_of(well: Well, column: str) -> str | None:
    """Return the label of a well: for `role` that of a control, otherwise the value of the column, if any."""
    match column:
        case "role":
            return well.role.value if well.role in (Role.POSITIVE, Role.NEGATIVE) else None
        case "cell_line":
            return well.cell_line or None
        case "compound":
            return well.compound or None
        case _:
            return well.metadata.get(column) or None


def check_labels(plate_map: PlateMap, column: str) -> None:
    """Check the labels of the wells before their images are read.

    Raises BadInput for a column that the plate map does not have, and NotEnoughData for another number of labels than a
    classifier can have.
    """
    columns = {*_COLUMNS, *(name for well in plate_map.used for name in well.metadata)}
    if column not in columns:
        raise BadInput(f"the plate map has no column {column}; it has {', '.join(sorted(columns))}")
    labels = sorted({label for well in plate_map.used if (label := label_of(well, column)) is not None})
    _check_count(labels, column, "wells")


def labelled_fields(plate_map: PlateMap, records: Sequence[FieldRecord], column: str, *, seed: int) -> LabelledFields:
    """Return the fields of each class. Wells without a label are left out.

    Raises what `check_labels` raises, and NotEnoughData for a class with fewer than two wells with images.
    """
    check_labels(plate_map, column)
    wells = {(well.plate, well.well): well for well in plate_map.used}
    fields: dict[str, dict[tuple[str, str], list[int]]] = defaultdict(lambda: defaultdict(list))
    for index, record in enumerate(records):
        key = (record.plate, record.well)
        label = label_of(wells[key], column)
        if label is not None:
            fields[label][key].append(index)
    classes = tuple(sorted(fields))
    _check(classes, fields, column)
    rng = np.random.default_rng(seed)
    training, held_out = [], []
    for number, label in enumerate(classes):
        names = list(fields[label])
        out = set(rng.choice(len(names), max(1, round(HOLDOUT * len(names))), replace=False).tolist())
        training.append(tuple(i for n, name in enumerate(names) if n not in out for i in fields[label][name]))
        held_out += [(number, tuple(fields[label][names[n]])) for n in sorted(out)]
    return LabelledFields(column=column, classes=classes, training=tuple(training), held_out=tuple(held_out))


def _check_count(classes: Sequence[str], column: str, wells: str) -> None:
    if not 2 <= len(classes) <= MAX_CLASSES:
        names = f" ({classes[0]})" if len(classes) == 1 else ""
        raise NotEnoughData(
            f"column {column} has {len(classes)} labels{names} among the {wells}; a classifier needs 2 to {MAX_CLASSES}"
        )


def _check(classes: Sequence[str], fields: dict[str, dict[tuple[str, str], list[int]]], column: str) -> None:
    _check_count(classes, column, "wells with images")
    small = [label for label in classes if len(fields[label]) < 2]
    if small:
        raise NotEnoughData(
            f"column {column}: {small[0]} has one well; a class needs two wells, one to train on and one to hold out"
        )
