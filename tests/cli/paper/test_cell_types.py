"""Cell types are told apart on groups that the SVM has not seen."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl.paper.cell_types import confuse_cell_types
from gandl.paper.features import FieldVectors
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Role, Well


def fields(kinds: int, experiments: int, plates: int = 2, apart: float = 5.0) -> FieldVectors:
    wells = [
        Well(
            plate=f"C{k}-{e}_{p}",
            well=f"A{w:02d}",
            role=Role.TREATMENT,
            compound=None,
            concentration_um=None,
            cell_line=f"C{k}",
            table_row=1,
            metadata={"experiment": f"C{k}-{e}"},
        )
        for k in range(kinds)
        for e in range(experiments)
        for p in range(plates)
        for w in range(1, 5)
    ]
    vectors = np.random.default_rng(3).normal(0, 1, (len(wells), 10))
    vectors[np.arange(len(wells)), [int(well.cell_line[1:]) for well in wells]] += apart
    return FieldVectors(wells=wells, well=np.arange(len(wells)), vectors=vectors.astype(np.float32))


@pytest.mark.parametrize(("experiments", "plates", "unit"), [(2, 2, "experiments"), (1, 2, "plates"), (1, 1, "wells")])
def test_the_largest_unit_that_every_cell_type_has_twice_is_held_out(experiments: int, plates: int, unit: str) -> None:
    confusion = confuse_cell_types(fields(4, experiments, plates))
    assert confusion.held_out == unit
    assert confusion.counts.sum() == 16 * experiments * plates
    assert confusion.accuracy > 0.9


def test_cells_that_do_not_differ_are_at_chance() -> None:
    confusion = confuse_cell_types(fields(4, 2, apart=0.0))
    assert confusion.accuracy < 0.45


def test_one_cell_type_is_refused() -> None:
    with pytest.raises(NotEnoughData, match="one cell type, C0"):
        confuse_cell_types(fields(1, 2))


def test_a_plate_of_two_cell_types_is_held_out_as_a_whole() -> None:
    """A plate effect must not tell a cell type: without effects of cell types the accuracy is that of chance."""
    separate = fields(2, 4, apart=0.0)
    # The plates of the second cell type are those of the first, but for the last and one of its own.
    names = {f"C1-{e}_{p}": f"C0-{e}_{p}" for e in range(3) for p in range(2)}
    wells = [replace(well, plate=names.get(well.plate, well.plate), metadata={}) for well in separate.wells]
    effects = np.random.default_rng(5).normal(0, 5, (10, 10))
    plates = sorted({well.plate for well in wells})
    vectors = separate.vectors + effects[[plates.index(well.plate) for well in wells]].astype(np.float32)
    confusion = confuse_cell_types(replace(separate, wells=wells, vectors=vectors))
    assert confusion.held_out == "plates"
    assert confusion.accuracy < 0.7
