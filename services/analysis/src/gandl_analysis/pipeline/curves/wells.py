"""The wells of a dose-response curve: one compound in one cell line, and which of its wells are fitted."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from gandl_science.dose_response.records.inputs import DoseResponseData
from gandl_shared.files.keys import IMAGE_SUFFIXES
from gandl_shared.plates import plain_column
from gandl_shared.plates.tables.quantities.doses import group_doses
from gandl_shared.schemas.vocabulary import Flag

MAX_JOINED_VALUES = 5
"""A compound lists at most so many values of a further column."""


@dataclass(frozen=True, kw_only=True)
class CurveWell:
    """One measured well.

    `table_row` is its row in the table that it comes from. `excluded` says why it must not be fitted. A well that
    `is_empty` holds no cells, so it is not fitted, but its `off_distance` counts. A well that `is_vehicle` is the zero
    dose of several compounds. `weight` is its relative weight, None where all wells count alike. `metadata` are further
    columns.
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
    is_vehicle: bool = False
    weight: float | None = None
    table_row: int | None = None
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class CompoundWells:
    """The wells of one compound in one cell line."""

    name: str
    cell_line: str
    wells: tuple[CurveWell, ...]

    @cached_property
    def exclusions(self) -> list[str | None]:
        """Why each well is not fitted; None for a well that is."""
        return [exclusion_of(well) for well in self.wells]

    @cached_property
    def fitted_wells(self) -> list[CurveWell]:
        """The wells that are fitted."""
        return [well for well, exclusion in zip(self.wells, self.exclusions, strict=True) if exclusion is None]

    @cached_property
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
        flags = {
            Flag.EMPTY_WELLS: any(well.is_empty for well in self.wells),
            Flag.EQUAL_REPLICATES: self.equal_wells is not None,
        }
        return tuple(flag for flag, applies in flags.items() if applies)

    @cached_property
    def equal_wells(self) -> tuple[CurveWell, CurveWell] | None:
        """Two wells of equal response if, at every dose of a curve that changes, all replicates are equal or copied.

        Copies scatter less than replicates, so that every change seems certain. Equal responses at single doses occur
        in real data; at all doses they come from copied rows, from rounding, or from growth that is yes or no.
        """
        # A response that occurs once is neither copied nor equal to its replicates, and nearly all curves have one.
        if 1 in Counter((well.concentration, well.response) for well in self.fitted_wells).values():
            return None
        doses: dict[float | None, list[CurveWell]] = {}
        for well in self.fitted_wells:
            doses.setdefault(well.concentration, []).append(well)
        counts = [Counter(well.response for well in replicates) for replicates in doses.values()]
        # A block pasted k times makes every response occur a multiple of k times.
        pasted = math.gcd(*(n for count in counts for n in count.values())) > 1
        equal = all(len(count) == 1 and count.total() > 1 for count in counts)
        if not (pasted or equal) or len({frozenset(count) for count in counts}) < 2:
            return None
        replicates = next(iter(doses.values()))
        first, second, *_ = [well for well in replicates if well.response == replicates[0].response]
        return first, second

    @property
    def metadata(self) -> dict[str, str]:
        """The further columns of the wells. Several values of a column are joined by `; `, or counted if they are many.

        Columns that name image files belong to single wells and are left out.
        """
        values: dict[str, list[str]] = {}
        for well in self.wells:
            for name, value in well.metadata.items():
                # A table that gandl wrote has the prefix in each name, and the plate map may have it in some.
                texts = values.setdefault(plain_column(name), [])
                if value and value not in texts:
                    texts.append(value)
        return {
            name: "; ".join(texts) if len(texts) <= MAX_JOINED_VALUES else f"{len(texts)} values"
            for name, texts in values.items()
            if not any(text.lower().endswith(IMAGE_SUFFIXES) for text in texts)
        }

    @property
    def data(self) -> DoseResponseData:
        """The fitted wells as arrays."""
        wells = self.fitted_wells
        plates = [well.plate for well in wells]
        # Without a plate for every well it is not known which of them share an error.
        codes = np.unique([str(plate) for plate in plates], return_inverse=True)[1] if all(plates) else None
        weights = [well.weight for well in wells if well.weight is not None]
        return DoseResponseData(
            np.array([well.concentration for well in wells], float),
            np.array([well.response for well in wells], float),
            codes,
            weight=np.array(weights) if wells and len(weights) == len(wells) else None,
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
    """Give doses that are one within measurement (see `group_doses`) the value that stands for them."""
    finite_doses = [w.concentration for w in wells if w.concentration is not None and math.isfinite(w.concentration)]
    merged = {dose: centre for dose, centre in group_doses(finite_doses).items() if dose != centre}
    return [w if w.concentration not in merged else replace(w, concentration=merged[w.concentration]) for w in wells]


def exclusion_of(well: CurveWell) -> str | None:
    """Return why a well cannot be fitted, None if it can."""
    if well.excluded is not None:
        return well.excluded
    if finite(well.concentration) is None:
        return "no concentration"
    return "no response" if finite(well.response) is None else None


def finite(value: float | None) -> float | None:
    """Return the value if it is a finite number."""
    return value if value is not None and math.isfinite(value) else None
