"""The wells of a dose-response curve: one compound in one cell line, and which of its wells are fitted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.dose_response.results import DoseResponseData
from gandl_shared.schemas.vocabulary import Flag

_SAME_DOSE = 1e-6
"""The relative difference of two concentrations that is rounding; pipetting is never so exact."""


@dataclass(frozen=True, kw_only=True)
class CurveWell:
    """One measured well.

    `table_row` is its row in the table that it comes from. `excluded` says why it must not be fitted. A well that
    `is_empty` holds no cells, so it is not fitted, but its `off_distance` counts.
    """

    compound: str
    cell_line: str
    concentration: float | None
    response: float | None
    plate: str | None = None
    well: str | None = None
    off_distance: float | None = None
    excluded: str | None = None
    is_empty: bool = False
    table_row: int | None = None


@dataclass(frozen=True, kw_only=True)
class CompoundWells:
    """The wells of one compound in one cell line."""

    name: str
    cell_line: str
    wells: tuple[CurveWell, ...]

    @property
    def exclusions(self) -> list[str | None]:
        """Why each well is not fitted; None for a well that is."""
        return [_exclusion(well) for well in self.wells]

    @property
    def fitted_wells(self) -> list[CurveWell]:
        """The wells that are fitted."""
        return [well for well in self.wells if _exclusion(well) is None]

    @property
    def off_axis_wells(self) -> list[CurveWell]:
        """The wells whose off-axis distance counts: fitted ones, and empty ones if they are half of a dose or more.

        A single empty well is more likely an accident than an effect of the dose.
        """
        empty = Counter(well.concentration for well in self.wells if well.is_empty)
        fitted = Counter(well.concentration for well in self.fitted_wells)
        counted = [w for w in self.wells if w.is_empty and empty[w.concentration] >= fitted[w.concentration]]
        return [*self.fitted_wells, *counted]

    @property
    def flags(self) -> tuple[Flag, ...]:
        """The flags that come from the wells themselves and not from a fit."""
        return (Flag.EMPTY_WELLS,) if any(well.is_empty for well in self.wells) else ()

    @property
    def data(self) -> DoseResponseData:
        """The fitted wells as arrays."""
        wells = self.fitted_wells
        return DoseResponseData(
            np.array([well.concentration for well in wells], float), np.array([well.response for well in wells], float)
        )


def group_by_compound(wells: Iterable[CurveWell]) -> list[CompoundWells]:
    """Return the wells of each compound and cell line, in order of first appearance."""
    groups: dict[tuple[str, str], list[CurveWell]] = {}
    for well in wells:
        groups.setdefault((well.cell_line, well.compound), []).append(well)
    return [
        CompoundWells(name=name, cell_line=cell_line, wells=tuple(_merge_doses(group)))
        for (cell_line, name), group in groups.items()
    ]


def _merge_doses(wells: Sequence[CurveWell]) -> list[CurveWell]:
    """Give doses that differ by a millionth or less, from one to the next, the value of the lowest of them."""
    doses = sorted({w.concentration for w in wells if w.concentration is not None and math.isfinite(w.concentration)})
    # Doses ascend, so each is compared with the one before, which has its final value already.
    merged: dict[float, float] = {}
    for dose, previous in zip(doses, [math.nan, *doses], strict=False):
        merged[dose] = merged[previous] if dose - previous <= _SAME_DOSE * dose else dose
    return [w if w.concentration not in merged else replace(w, concentration=merged[w.concentration]) for w in wells]


def _exclusion(well: CurveWell) -> str | None:
    """Return why a well cannot be fitted, None if it can."""
    if well.excluded is not None:
        return well.excluded
    if finite(well.concentration) is None:
        return "no concentration"
    return "no response" if finite(well.response) is None else None


def finite(value: float | None) -> float | None:
    """Return the value if it is a finite number."""
    return value if value is not None and math.isfinite(value) else None
