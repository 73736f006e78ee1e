"""What a simulated screen consists of, as frozen values; validated once, before anything is drawn."""

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
MIN_SIZE, MAX_SIZE = 64, 2160


@dataclass(frozen=True)
class DoseLadder:
    """`count` doses down from `top_um`, each the former divided by `step` (half a decade unless told otherwise)."""

    top_um: float = 30.0
    count: int = 6
    step: float = HALF_LOG

    def doses(self) -> tuple[float, ...]:
        """Doses in µM, lowest first, rounded to four significant digits as a plate map would hold them."""
        return tuple(float(f"{self.top_um / self.step**k:.4g}") for k in reversed(range(self.count)))

    def problems(self) -> list[Problem]:
        """What makes the ladder impossible, field by field."""
        found = []
        if not 0 < self.top_um < float("inf"):
            found.append(Problem(f"the top dose {self.top_um:g} is not a positive number of µM", field="top dose"))
        if not 1 <= self.count <= 24:
            found.append(Problem(f"{self.count} doses; give 1 to 24", field="doses"))
        if not 1 < self.step <= 100:
            found.append(Problem(f"the step {self.step:g} between doses is not in 1..100", field="dose step"))
        return found


@dataclass(frozen=True)
class Compound:
    """A compound and its response, the same in all cell lines but for those in `in_line`."""

    name: str
    response: Response
    in_line: Mapping[str, Response] = field(default_factory=dict)

    def in_cells(self, cell_line: str) -> Response:
        """The response of one cell line."""
        return self.in_line.get(cell_line, self.response)

    def problems(self) -> list[Problem]:
        """What makes the compound impossible, field by field."""
        found = self.response.problems(self.name)
        for line, response in self.in_line.items():
            found += response.problems(f"{self.name} in {line}")
        if not self.name.strip():
            found.append(Problem("a compound has no name", field="compound"))
        return found


@dataclass(frozen=True)
class Controls:
    """Wells a plate of uninfected cells (positive) and of infected, untreated cells (negative)."""

    positive: int = 12
    negative: int = 12


@dataclass(frozen=True)
class ScreenDesign:
    """A whole screen. Each replicate of a cell line is a plate of its own unless `replicates_per_plate` puts several
    on one; compounds that do not fit on one plate go on to the next. `multichannel` writes one TIFF a site instead of
    one a channel. `seed` is the preset's own, for when none is given."""

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
        """Rows and columns of a plate."""
        return PLATE_SHAPES[self.wells]

    @property
    def treated_per_plate(self) -> int:
        """Wells of a plate that are not controls."""
        return self.wells - self.controls.positive - self.controls.negative

    def check(self) -> None:
        """Raise Invalid naming all that is wrong with the design at once."""
        raise_if(self.problems(), Invalid, "this screen cannot be simulated")

    def problems(self) -> list[Problem]:
        """What makes the design impossible, field by field."""
        found = [*self._number_problems(), *self.ladder.problems()]
        for compound in self.compounds:
            found += compound.problems()
        found += _name_problems([c.name for c in self.compounds])
        named = [*self.cell_lines, *(line for compound in self.compounds for line in compound.in_line)]
        unknown = sorted({line for line in named if line not in CELL_LINES})
        found += [
            Problem(f"unknown cell line {line!r}; there are {', '.join(CELL_LINES)}", field="cell_line")
            for line in unknown
        ]
        if not self.cell_lines or len(set(self.cell_lines)) < len(self.cell_lines):
            found.append(Problem("name each cell line once, and at least one", field="cell_line"))
        return found or self._capacity_problems()

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
        found = [
            Problem(f"{value} is not in {low}..{high}", field=name)
            for name, (value, low, high) in limits.items()
            if not low <= value <= high
        ]
        if self.wells not in PLATE_SHAPES:
            found.append(Problem(f"{self.wells} wells; plates have 96 or 384", field="wells"))
        if self.bits not in (8, 16):
            found.append(Problem(f"{self.bits} bits; cameras here have 8 or 16", field="bits"))
        if any(not 0 <= value <= 1 for value in vars(self.effects).values()):
            found.append(Problem("plate and position effects must lie in 0..1", field="effects"))
        return found

    def _capacity_problems(self) -> list[Problem]:
        need = self.ladder.count * self.replicates_per_plate
        room = self.treated_per_plate
        if room >= need or not self.compounds:
            return []
        what = f"one compound needs {need} wells of a plate, but controls leave {max(room, 0)} of {self.wells}"
        return [Problem(f"{what}; take fewer doses, replicates a plate or controls", field="doses")]


def _name_problems(names: list[str]) -> list[Problem]:
    twice = sorted({name for name in names if names.count(name) > 1})
    return [Problem(f"{name} is there twice", field="compound") for name in twice]
