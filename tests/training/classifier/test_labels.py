"""Labels of wells."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from gandl_shared.errors import BadInput, NotEnoughData
from gandl_shared.plates import PlateMap, Role, Well
from gandl_training.classifier.labels import labelled_fields
from gandl_training.data.field_store import FieldRecord


def plate_map(roles: Sequence[Role], **metadata: str) -> PlateMap:
    """Return wells A01, A02, … of these roles."""
    wells = tuple(
        Well(
            plate="P1",
            well=f"A{n:02d}",
            role=role,
            compound="X" if role is Role.TREATMENT else None,
            concentration_um=1.0 if role is Role.TREATMENT else None,
            cell_line="U2OS" if n % 2 else "HeLa",
            table_row=n + 1,
            metadata=metadata,
        )
        for n, role in enumerate(roles, start=1)
    )
    return PlateMap(wells, "map.csv")


def records(plates: PlateMap) -> list[FieldRecord]:
    """Return two fields of each well."""
    return [
        FieldRecord(plate=w.plate, well=w.well, site=s, role=w.role.value, cell_line=w.cell_line)
        for w in plates.wells
        for s in "12"
    ]


CONTROLS = plate_map([Role.NEGATIVE] * 5 + [Role.TREATMENT] * 2 + [Role.POSITIVE] * 5)


def test_controls_are_labels_and_wells_are_held_out_whole() -> None:
    labels = labelled_fields(CONTROLS, records(CONTROLS), "role", seed=1)
    assert labels.classes == ("negative_control", "positive_control")
    assert [len(each) for each in labels.training] == [8, 8]
    assert [(label, len(fields)) for label, fields in labels.held_out] == [(0, 2), (1, 2)]
    used = {i for each in labels.training for i in each} | {i for _, fields in labels.held_out for i in fields}
    assert used == set(range(24)) - {10, 11, 12, 13}
    assert labelled_fields(CONTROLS, records(CONTROLS), "role", seed=1) == labels


def test_other_columns_are_labels_too() -> None:
    assert labelled_fields(CONTROLS, records(CONTROLS), "cell_line", seed=0).classes == ("HeLa", "U2OS")


def test_columns_without_use_are_refused() -> None:
    with pytest.raises(BadInput, match="no column moa; it has cell_line, compound, role"):
        labelled_fields(CONTROLS, records(CONTROLS), "moa", seed=0)
    with pytest.raises(NotEnoughData, match=r"column compound has 1 labels \(X\)"):
        labelled_fields(CONTROLS, records(CONTROLS), "compound", seed=0)
    plates = plate_map([Role.NEGATIVE] * 3 + [Role.POSITIVE])
    with pytest.raises(NotEnoughData, match="column role: positive_control has one well"):
        labelled_fields(plates, records(plates), "role", seed=0)
    plates = plate_map([Role.NEGATIVE] * 3, batch="b1")
    with pytest.raises(NotEnoughData, match=r"column batch has 1 labels \(b1\)"):
        labelled_fields(plates, records(plates), "batch", seed=0)
