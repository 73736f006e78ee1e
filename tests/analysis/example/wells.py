"""Wells of the invented screen: four plates of 96 wells per cell line, with controls, treatments and two lost wells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Role

from tests.analysis.example.compounds import DOSES, ExampleCompound

LOST = (("HRCE-1", "C07"), ("VERO-2", "B04"))
"""Plate and name of the wells without a score."""
_ROWS = "ABCDEFGH"


@dataclass(frozen=True)
class _Contents:
    """What an invented well holds; `efficacy` is None for a well without a score."""

    role: Role
    efficacy: float | None
    compound: str | None = None
    dose: float | None = None
    off: float = 0.0


def example_wells(
    cell_line: str, compounds: Sequence[ExampleCompound], noise: float, rng: np.random.Generator
) -> Iterator[WellScore]:
    """Yield the wells of a cell line: columns 1 and 12 hold controls, columns 2 to 10 treatments, and A11 is empty."""
    names = [f"{row}{column:02d}" for column in range(2, 11) for row in _ROWS]
    treatments = [(compound, dose) for compound in compounds for dose in DOSES]
    for number in (1, 2, 3, 4):
        plate = f"{cell_line}-{number}"
        for row in _ROWS:
            yield _well(plate, f"{row}01", _Contents(Role.POSITIVE, 1.0), noise, rng)
            yield _well(plate, f"{row}12", _Contents(Role.NEGATIVE, -1.0), noise, rng)
        for name, (compound, dose) in zip(names, treatments, strict=True):
            off = 1.1 if compound.off_from and dose >= compound.off_from else 0.0
            efficacy = None if (plate, name) in LOST else compound.efficacy(dose) - 0.1 * off
            yield _well(plate, name, _Contents(Role.TREATMENT, efficacy, compound.name, dose, off), noise, rng)
        yield _well(plate, "A11", _Contents(Role.EMPTY, None), noise, rng)


def _well(plate: str, well: str, contents: _Contents, noise: float, rng: np.random.Generator) -> WellScore:
    efficacy = None if contents.efficacy is None else contents.efficacy + noise * float(rng.normal())
    across = contents.off * 6 + 0.7 * float(rng.normal())
    scored = efficacy is not None
    return WellScore(
        plate=plate,
        well=well,
        role=contents.role,
        compound=contents.compound,
        concentration_um=contents.dose,
        cell_line=plate.partition("-")[0],
        on=None if efficacy is None else 2.4 * efficacy + 0.3,
        off=across if scored else None,
        efficacy=efficacy,
        off_distance=1 + abs(across) if scored else None,
        n_tiles=32 if scored else 0,
    )
