"""Vehicle wells as the common zero dose: every compound gets those of its own plates and cell line.

They support the left plateau of each curve like wells of its own. Because compounds share them, the results of
compounds depend on each other a little: a vehicle that is low by chance makes all of them look active together.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

from gandl_analysis.pipeline.curves.wells import CompoundWells, CurveWell, exclusion_of


def vehicle_wells(wells: Iterable[CurveWell]) -> list[CurveWell]:
    """Return the usable wells among these as vehicle wells: dose zero, without an off-axis distance or columns."""
    return [
        replace(well, concentration=0.0, off_distance=None, is_empty=False, is_vehicle=True, metadata={})
        for well in wells
        if exclusion_of(replace(well, concentration=0.0)) is None
    ]


def with_vehicle(compounds: Sequence[CompoundWells], vehicle: Sequence[CurveWell]) -> list[CompoundWells]:
    """Return the compounds with the vehicle wells of their plates; a compound without any stays as it is.

    Where the plate of some well is not known, all vehicle wells of the cell line belong to the compound.
    """
    return [replace(compound, wells=(*_of_compound(compound, vehicle), *compound.wells)) for compound in compounds]


def _of_compound(compound: CompoundWells, vehicle: Sequence[CurveWell]) -> list[CurveWell]:
    own = [well for well in vehicle if well.cell_line == compound.cell_line]
    plates = {well.plate for well in compound.wells}
    if None in plates or any(well.plate is None for well in own):
        return own
    return [well for well in own if well.plate in plates]
