"""Controls spread over the plate, every dose with its replicates."""

from __future__ import annotations

from collections import Counter

import pytest
from gandl.simulate import PRESETS, preset
from gandl.simulate.plates.layout import control_positions, plan


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_possible_and_every_dose_has_its_replicates(name: str) -> None:
    design = preset(name)
    assert design.problems() == []
    plates = plan(design)
    treated = Counter(
        (plate.cell_line, well.compound, well.dose_um)
        for plate in plates
        for well in plate.wells
        if well.role == "treatment"
    )
    assert set(treated.values()) == {design.replicates}
    assert len(treated) == len(design.cell_lines) * len(design.compounds) * design.ladder.count


@pytest.mark.parametrize(("shape", "count"), [((8, 12), 12), ((8, 12), 22), ((16, 24), 24), ((16, 24), 48)])
@pytest.mark.parametrize("shift", range(4))
def test_controls_spread_over_rows_and_columns(shape: tuple[int, int], count: int, shift: int) -> None:
    positive, negative = control_positions(*shape, count, count, shift)
    assert len({*positive, *negative}) == 2 * count
    for positions in (positive, negative):
        for axis, length in enumerate(shape):
            used = Counter(position[axis] for position in positions)
            assert len(used) >= min(count, length) - 1
            assert max(used.values()) <= -(-count // length) + 1


def test_wells_are_named_and_in_row_order() -> None:
    plate = plan(preset("demo"))[0]
    names = [well.name for well in plate.wells]
    assert names == [f"{row}{column:02d}" for row in "ABCDEFGH" for column in range(1, 13)]


def test_a_well_without_cells_has_no_state() -> None:
    wells = [well for plate in plan(preset("training")) for well in plate.wells]
    assert all((well.state is None) == (well.role == "empty") for well in wells)
