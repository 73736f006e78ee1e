"""The layout of the plates: controls are spread over rows and columns, treatments are placed at random."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd

from gandl_shared.plates.well_names import well_name
from gandl_shared.schemas.vocabulary import Role

from gandl.simulate.cells.pharmacology import HEALTHY_WELL, INFECTED_WELL, WellState
from gandl.simulate.plates.design import Compound, ScreenDesign
from gandl.simulate.seeds import Stream, stream

Position = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class SimulatedWell:
    """One well of the plate map; `row` and `column` count from 0, and `state` is None where there are no cells."""

    row: int
    column: int
    role: Role
    state: WellState | None
    compound: str = ""
    dose_um: float | None = None

    @property
    def name(self) -> str:
        """The name of the well, A01 to P24."""
        return well_name(self.row + 1, self.column + 1)


@dataclass(frozen=True, kw_only=True)
class SimulatedPlate:
    """One plate. `index` counts the plates of the whole screen and is part of the seed of every well."""

    index: int
    name: str
    cell_line: str
    wells: tuple[SimulatedWell, ...]


def plan(design: ScreenDesign) -> list[SimulatedPlate]:
    """Return all plates of a screen, with the wells in row order."""
    groups = _compounds_by_plate(design)
    # A run is one set of plates with `replicates_per_plate` replicates; the last run may have fewer.
    runs = ceil(design.replicates / design.replicates_per_plate)
    plates: list[SimulatedPlate] = []
    for cell_line in design.cell_lines:
        number = 0
        for run in range(runs):
            copies = min(design.replicates_per_plate, design.replicates - run * design.replicates_per_plate)
            for group in groups:
                number += 1
                index = len(plates)
                wells = _wells(design, cell_line, group * copies, index)
                name = f"{cell_line}-{number}"
                plates.append(SimulatedPlate(index=index, name=name, cell_line=cell_line, wells=wells))
    return plates


def _compounds_by_plate(design: ScreenDesign) -> list[tuple[Compound, ...]]:
    per_plate = design.treated_per_plate // (design.ladder.count * design.replicates_per_plate)
    compounds = design.compounds
    return [compounds[i : i + per_plate] for i in range(0, len(compounds), per_plate)] or [()]


def _wells(
    design: ScreenDesign, cell_line: str, compounds: tuple[Compound, ...], index: int
) -> tuple[SimulatedWell, ...]:
    rng = stream(design.seed, Stream.LAYOUT, index)
    rows, columns = design.shape
    positive, negative = control_positions(rows, columns, design.controls.positive, design.controls.negative, index)
    controls = {*positive, *negative}
    free = [(r, c) for r in range(rows) for c in range(columns) if (r, c) not in controls]
    order = [free[i] for i in rng.permutation(len(free))]
    treated = [(compound, dose) for compound in compounds for dose in design.ladder.doses()]
    wells = [SimulatedWell(row=r, column=c, role=Role.POSITIVE, state=HEALTHY_WELL) for r, c in positive]
    wells += [SimulatedWell(row=r, column=c, role=Role.NEGATIVE, state=INFECTED_WELL) for r, c in negative]
    wells += [
        SimulatedWell(
            row=r,
            column=c,
            role=Role.TREATMENT,
            state=compound.in_cells(cell_line).at(dose),
            compound=compound.name,
            dose_um=dose,
        )
        for (r, c), (compound, dose) in zip(order, treated, strict=False)
    ]
    wells += [SimulatedWell(row=r, column=c, role=Role.EMPTY, state=None) for r, c in order[len(treated) :]]
    return tuple(sorted(wells, key=lambda well: (well.row, well.column)))


def control_positions(
    rows: int, columns: int, positive: int, negative: int, shift: int
) -> tuple[list[Position], list[Position]]:
    """Return positive and negative controls, each spread evenly over rows and columns; `shift` turns the pattern.

    A column of controls at the edge would confound infection with the edge effect. Each role therefore walks diagonally
    over the whole plate, and the two roles are half the height of the plate apart.
    """
    occupied: set[Position] = set()
    return (
        _diagonal(rows, columns, positive, shift, occupied),
        _diagonal(rows, columns, negative, shift + rows // 2, occupied),
    )


def _diagonal(rows: int, columns: int, count: int, shift: int, occupied: set[Position]) -> list[Position]:
    # A stride without a common divisor visits every row; the golden section (0.38) keeps neighbours far apart.
    stride = next(s for s in range(round(0.38 * rows), rows) if gcd(s, rows) == 1)
    positions: list[Position] = []
    for k in range(count):
        column, row = k * columns // count, (stride * k + shift) % rows
        # An occupied well makes way for the nearest free one below it, then for the next column.
        position = next(
            ((row + d) % rows, (column + e) % columns)
            for e in range(columns)
            for d in range(rows)
            if ((row + d) % rows, (column + e) % columns) not in occupied
        )
        occupied.add(position)
        positions.append(position)
    return positions
