"""The design of a simulated screen, as frozen values that are checked once, before anything is drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gandl_shared.errors import Invalid, Problem, raise_if

from gandl.simulate.cells.morphology import CELL_LINES
from gandl.simulate.cells.pharmacology import Response
from gandl.simulate.microscope.effects import Effects

PLATE_SHAPES: Mapping[int, tuple[int, int]] = {96: (8, 12), 384: (16, 24)}
"""Rows and columns of the plates that can be simulated."""
HALF_LOG = 10**0.5
"""Half a decade, the usual factor between doses."""
MIN_SIZE, MAX_SIZE = 64, 2160


@dataclass(frozen=True, kw_only=True)
class DoseLadder:
    """A number of doses (`count`) from `top_um` down, each the former divided by `step`."""

    top_um: float = 30.0
    count: int = 6
    step: float = HALF_LOG

    def doses(self) -> tuple[float, ...]:
        """Return the doses in µM, lowest first, rounded to four significant digits as in a plate map."""
        return tuple(float(f"{self.top_um / self.step**k:.4g}") for k in reversed(range(self.count)))

    def problems(self) -> list[Problem]:
        """Return a problem for each impossible field."""
        problems = []
        if not 0 < self.top_um < float("inf"):
            problems.append(Problem(f"the top dose {self.top_um:g} is not a positive number of µM", field="top dose"))
        if not 1 <= self.count <= 24:
            problems.append(Problem(f"{self.count} doses; give 1 to 24", field="doses"))
        if not 1 < self.step <= 100:
            problems.append(
                Problem(f"the step {self.step:g} between doses is not between 1 and 100", field="dose step")
            )
        return problems


@dataclass(frozen=True)
class Compound:
    """A compound and its response, which is the same in all cell lines except those in `in_line`."""

    name: str
    response: Response
    in_line: Mapping[str, Response] = field(default_factory=dict)

    def in_cells(self, cell_line: str) -> Response:
        """Return the response of one cell line."""
        return self.in_line.get(cell_line, self.response)

    def problems(self) -> list[Problem]:
        """Return a problem for each impossible field."""
        problems = self.response.problems(self.name)
        for cell_line, response in self.in_line.items():
            problems += response.problems(f"{self.name} in {cell_line}")
        if not self.name.strip():
            problems.append(Problem("a compound has no name", field="compound"))
        return problems


@dataclass(frozen=True, kw_only=True)
class Controls:
    """Wells per plate with uninfected cells (positive) and with infected, untreated cells (negative)."""

    positive: int = 12
    negative: int = 12


@dataclass(frozen=True, kw_only=True)
class ScreenDesign:
    """A whole screen.

    Each replicate of a cell line is a plate of its own, unless `replicates_per_plate` puts several on one plate.
    Compounds that do not fit on one plate continue on the next. `multichannel` writes one TIFF file per site instead of
    one per channel. `seed` is used where a call gives no other.
    """

    compounds: tuple[Compound, ...]
    cell_lines: tuple[str, ...] = ("HRCE-like", "VERO-like")
    ladder: DoseLadder = DoseLadder()
    replicates: int = 4
    replicates_per_plate: int = 1
    controls: Controls = Controls()
    wells: int = 96
    sites: int = 1
    size: int = 256
    bits: int = 16
    multichannel: bool = False
    effects: Effects = field(default_factory=Effects)
    seed: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        """The rows and columns of a plate."""
        return PLATE_SHAPES[self.wells]

    @property
    def treated_per_plate(self) -> int:
        """The number of wells of a plate that are not controls."""
        return self.wells - self.controls.positive - self.controls.negative

    def check(self) -> None:
        """Raise Invalid, naming all problems of the design at once."""
        raise_if(self.problems(), Invalid, "this screen cannot be simulated")

    def problems(self) -> list[Problem]:
        """Return a problem for each impossible field."""
        problems = [*self._number_problems(), *self.ladder.problems()]
        for compound in self.compounds:
            problems += compound.problems()
        problems += _name_problems([c.name for c in self.compounds])
        names = {*self.cell_lines, *(name for compound in self.compounds for name in compound.in_line)}
        problems += [
            Problem(f"unknown cell line {name!r}; there are {', '.join(CELL_LINES)}", field="cell_line")
            for name in sorted(names - CELL_LINES.keys())
        ]
        if not self.cell_lines or len(set(self.cell_lines)) < len(self.cell_lines):
            problems.append(Problem("name each cell line once, and at least one", field="cell_line"))
        # Capacity is computed only from possible numbers.
        return problems or self._capacity_problems()

    def _number_problems(self) -> list[Problem]:
        limits = {
            "replicates": (self.replicates, 1, 96),
            "replicates per plate": (self.replicates_per_plate, 1, max(1, self.replicates)),
            "positive controls": (self.controls.positive, 2, self.wells),
            "negative controls": (self.controls.negative, 2, self.wells),
            "sites": (self.sites, 1, 36),
            "size": (self.size, MIN_SIZE, MAX_SIZE),
            "seed": (self.seed, 0, 2**63 - 1),
        }
        problems = [
            Problem(f"{value} is not between {low} and {high}", field=name)
            for name, (value, low, high) in limits.items()
            if not low <= value <= high
        ]
        if self.wells not in PLATE_SHAPES:
            problems.append(Problem(f"{self.wells} wells; plates have 96 or 384", field="wells"))
        if self.bits not in (8, 16):
            problems.append(Problem(f"{self.bits} bits; cameras here have 8 or 16", field="bits"))
        if any(not 0 <= value <= 1 for value in vars(self.effects).values()):
            problems.append(Problem("plate and position effects must be between 0 and 1", field="effects"))
        return problems

    def _capacity_problems(self) -> list[Problem]:
        need = self.ladder.count * self.replicates_per_plate
        room = self.treated_per_plate
        if room >= need or not self.compounds:
            return []
        detail = f"one compound needs {need} wells of a plate, but controls leave {max(room, 0)} of {self.wells}"
        return [Problem(f"{detail}; take fewer doses, replicates per plate or controls", field="doses")]


def _name_problems(names: list[str]) -> list[Problem]:
    repeated = sorted({name for name in names if names.count(name) > 1})
    return [Problem(f"there are two compounds with the name {name}", field="compound") for name in repeated]
