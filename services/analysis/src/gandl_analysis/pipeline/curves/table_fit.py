"""The curves of a table of responses in which some compounds are the vehicle or the controls of the others."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.dose_response.records.inputs import ResponseScale, ScaleError
from gandl_shared.errors import BadInput
from gandl_shared.plates.tables.names import fold_name
from gandl_shared.schemas.curve import Curve

from gandl_analysis.pipeline.curves.compounds import fit_wells
from gandl_analysis.pipeline.curves.off_axis import OffAxisRule
from gandl_analysis.pipeline.curves.settings import CurveSettings
from gandl_analysis.pipeline.curves.vehicle import vehicle_wells
from gandl_analysis.pipeline.curves.wells import CurveWell

_MIN_CONTROLS = 2
_MAX_LISTED = 8


@dataclass(frozen=True, kw_only=True)
class TableRoles:
    """The names of the compounds of a table that are not tested themselves; None: there is no such compound.

    The `vehicle` is the zero dose of every other compound. The means of `negative` and `positive` are the ends of the
    scale.
    """

    vehicle: str | None = None
    negative: str | None = None
    positive: str | None = None

    @property
    def names(self) -> list[str]:
        """The names, as a table has them."""
        return [fold_name(name) for name in (self.vehicle, self.negative, self.positive) if name is not None]


def table_roles(controls: str | None, vehicle: str | None) -> tuple[ResponseScale | None, TableRoles]:
    """Return the scale of two numbers, or the roles of two compounds, that `controls` names (such as `0,100`).

    Raises BadInput unless there are two different ones.
    """
    if controls is None:
        return None, TableRoles(vehicle=vehicle)
    parts = [part.strip() for part in controls.split(",")]
    numbers = [number for part in parts if (number := _number(part)) is not None]
    try:
        if len(parts) == 2 and not numbers and all(parts) and parts[0] != parts[1]:
            return None, TableRoles(vehicle=vehicle, negative=parts[0], positive=parts[1])
        negative, positive = [float(part) for part in parts]
        return ResponseScale(negative, positive), TableRoles(vehicle=vehicle)
    except ValueError as error:
        raise BadInput(
            f"--controls '{controls}': give two different numbers, such as -1,1, or the names of two compounds"
        ) from error


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def fit_table(
    wells: Sequence[CurveWell], settings: CurveSettings, roles: TableRoles, off_limit: float | None
) -> list[Curve]:
    """Return the curves of the other compounds, in order of first appearance.

    Raises BadInput where a name is not that of a compound of the table, or where a cell line has fewer than two wells
    of a control or equal means of both.
    """
    _check_names(wells, roles.names)
    curves = []
    for cell_line in dict.fromkeys(well.cell_line for well in wells):
        own = [well for well in wells if well.cell_line == cell_line]
        tested = [well for well in own if well.compound not in roles.names]
        vehicle = [] if roles.vehicle is None else _rows(own, roles.vehicle)
        scaled = _scaled(settings, cell_line, own, roles)
        curves += fit_wells(tested, scaled, {cell_line: OffAxisRule(limit=off_limit)}, vehicle=vehicle)
    order = {key: i for i, key in enumerate(dict.fromkeys((well.compound, well.cell_line) for well in wells))}
    return sorted(curves, key=lambda curve: order[curve.compound, curve.cell_line])


def _check_names(wells: Sequence[CurveWell], names: Collection[str]) -> None:
    compounds = list(dict.fromkeys(well.compound for well in wells))
    for name in names:
        if name not in compounds:
            listed = ", ".join(compounds[:_MAX_LISTED]) + (", …" if len(compounds) > _MAX_LISTED else "")
            raise BadInput(f"'{name}' is no compound of the table; it has {listed}")


def _rows(wells: Sequence[CurveWell], name: str) -> list[CurveWell]:
    return [well for well in wells if well.compound == fold_name(name)]


def _scaled(settings: CurveSettings, cell_line: str, wells: Sequence[CurveWell], roles: TableRoles) -> CurveSettings:
    """Return the settings with the scale that the controls of a cell line give, and its error."""
    if roles.negative is None or roles.positive is None:
        return settings
    responses = [_control_responses(wells, name, cell_line) for name in (roles.negative, roles.positive)]
    negative, positive = (float(values.mean()) for values in responses)
    if negative == positive:
        raise BadInput(f"--controls: {roles.negative} and {roles.positive} have equal means in {cell_line}")
    errors = [float(values.var(ddof=1) / values.size) for values in responses]
    return replace(
        settings,
        rules=replace(settings.rules, scale=ResponseScale(negative, positive)),
        scale_errors={cell_line: ScaleError(negative=errors[0], positive=errors[1])},
    )


def _control_responses(wells: Sequence[CurveWell], name: str, cell_line: str) -> np.ndarray:
    rows = _rows(wells, name)
    doses = {well.concentration for well in rows}
    if len(doses) > 1:
        raise BadInput(f"--controls: {name} has {len(doses)} doses in {cell_line}; a control has one")
    values = np.array([well.response for well in vehicle_wells(rows)], float)
    if values.size < _MIN_CONTROLS:
        raise BadInput(f"--controls: {cell_line} has {values.size} wells of {name} with a response; give at least two")
    return values
