"""Which well of which plate holds what: controls spread over rows and columns, treatments at random."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, gcd

from gandl.simulate.cells.pharmacology import HEALTHY, INFECTED, WellState
from gandl.simulate.plates.design import Compound, ScreenDesign
from gandl.simulate.seeds import Stream, stream

Position = tuple[int, int]


@dataclass(frozen=True)
class Well:
    """One well of the plate map; `state` is None where there are no cells."""

    row: int
    column: int
    role: str
    state: WellState | None
    compound: str = ""
    dose_um: float | None = None

    @property
    def name(self) -> str:
        """The well's name: A01 to P24."""
        return f"{chr(ord('A') + self.row)}{self.column + 1:02d}"


@dataclass(frozen=True)
class Plate:
    """One plate: `index` counts plates over the whole screen and is part of every well's seed."""

    index: int
    name: str
    cell_line: str
    wells: tuple[Well, ...]


def plan(design: ScreenDesign) -> list[Plate]:
    """All plates of a screen, wells in row order."""
    groups = _compounds_by_plate(design)
    runs = ceil(design.replicates / design.replicates_per_plate)
    plates: list[Plate] = []
    for line in design.cell_lines:
        number = 0
        for run in range(runs):
            copies = min(design.replicates_per_plate, design.replicates - run * design.replicates_per_plate)
            for group in groups:
                number += 1
                index = len(plates)
                wells = _wells(design, line, group * copies, index)
                plates.append(Plate(index, f"{line}-{number}", line, wells))
    return plates


def _compounds_by_plate(design: ScreenDesign) -> list[tuple[Compound, ...]]:
    per_plate = design.treated_per_plate // (design.ladder.count * design.replicates_per_plate)
    compounds = design.compounds
    return [compounds[i : i + per_plate] for i in range(0, len(compounds), per_plate)] or [()]


def _wells(design: ScreenDesign, line: str, compounds: tuple[Compound, ...], index: int) -> tuple[Well, ...]:
    rng = stream(design.seed, Stream.LAYOUT, index)
    rows, columns = design.shape
    positive, negative = control_positions(rows, columns, design.controls.positive, design.controls.negative, index)
    taken = {*positive, *negative}
    free = [(r, c) for r in range(rows) for c in range(columns) if (r, c) not in taken]
    order = [free[i] for i in rng.permutation(len(free))]
    treated = [(compound, dose) for compound in compounds for dose in design.ladder.doses()]
    wells = [Well(r, c, "positive_control", HEALTHY) for r, c in positive]
    wells += [Well(r, c, "negative_control", INFECTED) for r, c in negative]
    wells += [
        Well(r, c, "treatment", compound.in_cells(line).at(dose), compound.name, dose)
        for (r, c), (compound, dose) in zip(order, treated, strict=False)
    ]
    wells += [Well(r, c, "empty", None) for r, c in order[len(treated) :]]
    return tuple(sorted(wells, key=lambda well: (well.row, well.column)))


def control_positions(
    rows: int, columns: int, positive: int, negative: int, shift: int
) -> tuple[list[Position], list[Position]]:
    """Positive and negative controls, each spread evenly over rows and columns; `shift` turns the pattern by plate.

    A control column at the edge would confound infection with the edge effect, so each role walks diagonally over the
    whole plate, the two roles half a plate's height apart.
    """
    taken: set[Position] = set()
    return (
        _diagonal(rows, columns, positive, shift, taken),
        _diagonal(rows, columns, negative, shift + rows // 2, taken),
    )


def _diagonal(rows: int, columns: int, count: int, shift: int, taken: set[Position]) -> list[Position]:
    stride = next(s for s in range(round(0.38 * rows), rows) if gcd(s, rows) == 1)
    chosen: list[Position] = []
    for k in range(count):
        column, row = k * columns // count, (stride * k + shift) % rows
        place = next(
            ((row + d) % rows, (column + e) % columns)
            for e in range(columns)
            for d in range(rows)
            if ((row + d) % rows, (column + e) % columns) not in taken
        )
        taken.add(place)
        chosen.append(place)
    return chosen
