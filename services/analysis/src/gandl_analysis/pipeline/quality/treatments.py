"""The treatments of wells: which wells hold one compound at one dose, as the dose-response curves count doses."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from gandl_shared.plates import Role, Well
from gandl_shared.plates.tables.quantities.doses import group_doses


def treatment_doses(wells: Sequence[Well]) -> list[float | None]:
    """Return the dose of each well in µM, where doses of a compound that are one within measurement have one value.

    Wells that are no treatments keep what the plate map says.
    """
    doses: dict[str | None, list[float]] = defaultdict(list)
    for well in wells:
        if well.role is Role.TREATMENT and well.concentration_um is not None:
            doses[well.compound].append(well.concentration_um)
    groups = {compound: group_doses(values) for compound, values in doses.items()}
    return [
        groups[well.compound][well.concentration_um]
        if well.role is Role.TREATMENT and well.concentration_um is not None
        else well.concentration_um
        for well in wells
    ]
