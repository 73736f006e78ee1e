"""Weights of wells in a fit: those of the table, or those of a constant relative error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from enum import StrEnum
from typing import TYPE_CHECKING

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.records.fit import CurveFit
from gandl_science.dose_response.records.inputs import DoseResponseData
from gandl_shared.errors import Invalid, InvalidTable, Problem, raise_if
from gandl_shared.plates.columns import column_key
from gandl_shared.plates.tables.quantities.concentrations import MAX_SIZE, MIN_SIZE
from gandl_shared.plates.tables.quantities.numbers import Mark, parse_quantity
from gandl_shared.schemas.vocabulary import Role

from gandl_analysis.pipeline.curves.wells import CurveWell

if TYPE_CHECKING:
    # `gandl fit` reads no screen, and each schema takes time to build.
    from gandl_shared.plates import Well
    from gandl_shared.schemas.analysis import AnalysisParameters

WEIGHT = "weight"
"""The column of weights, which is read only where the user asks for it: it may be that of an animal."""
_ROUNDS = 2
"""How often the weights are computed again from the curve that they gave."""


class Weighting(StrEnum):
    """Where the weights come from: nowhere, a column of the table, or a variance that grows with the response."""

    NONE = "none"
    COLUMN = "column"
    POISSON = "1/y"
    RELATIVE = "1/y^2"

    @property
    def power(self) -> int | None:
        """The power of the response in the variance, None for other weights."""
        return {Weighting.POISSON: 1, Weighting.RELATIVE: 2}.get(self)


def check_weighting(wells: Sequence[CurveWell], weighting: Weighting) -> None:
    """Raise InvalidTable naming the row where the weights have no meaning in this table.

    A variance in proportion to the response needs responses above zero. Weights and effects of plates cannot be
    estimated together.
    """
    if weighting is Weighting.NONE:
        return
    problems = []
    if weighting.power is not None:
        problems = [
            Problem(
                f"{well.response:g} is not above 0, but --weights {weighting} takes the error in proportion to the "
                "response; give the raw signal, or leave out --weights",
                row=well.table_row,
                field="response",
            )
            for well in wells
            if well.response is not None and well.response <= 0 and well.excluded is None
        ]
    problems += _several_plates(
        ((well.cell_line, well.compound, well.plate) for well in wells),
        "--weights; leave out --weights or the column plate",
    )
    raise_if(problems, InvalidTable, "the weights cannot be used")


def screen_weights(parameters: AnalysisParameters, wells: Iterable[Well]) -> dict[tuple[str, str], float]:
    """Return the weight of each well that is fitted, by plate and well; empty where no weights are asked for.

    Raises Invalid naming the row of the plate map where a weight is missing or not a number above 0, and where a
    compound lies on several plates.
    """
    if Weighting(parameters.curves.weights) is Weighting.NONE:
        return {}
    roles = (Role.TREATMENT, Role.NEGATIVE) if parameters.vehicle else (Role.TREATMENT,)
    fitted = [well for well in wells if well.role in roles]
    weights = {(well.plate, well.well): _weight_of(well.metadata) for well in fitted}
    problems = [
        Problem(detail, row=well.table_row, field=WEIGHT)
        for well in fitted
        if isinstance(detail := weights[well.plate, well.well], str)
    ]
    treated = ((w.cell_line, w.compound or "unnamed", w.plate) for w in fitted if w.role is Role.TREATMENT)
    problems += _several_plates(treated, "curves.weights; leave out the weights")
    raise_if(problems, Invalid, "the weights cannot be used")
    return {key: weight for key, weight in weights.items() if not isinstance(weight, str)}


def _weight_of(metadata: Mapping[str, str]) -> float | str:
    """Return the weight of a well, or what is wrong with it."""
    texts = [text for name, text in metadata.items() if column_key(name) == WEIGHT]
    if len(texts) != 1:
        return f"the plate map needs one column of this name for curves.weights, and there are {len(texts)}"
    quantity = parse_quantity(texts[0], Mark.POINT)
    # A comma may be a decimal mark, or stand between thousands.
    if quantity is None or quantity.unit or "," in texts[0] or not MIN_SIZE < quantity.value < MAX_SIZE:
        return f"'{texts[0]}' is not a number above 0 with a decimal point; give every well a weight"
    return float(quantity.value)


def _several_plates(wells: Iterable[tuple[str, str, str | None]], remedy: str) -> list[Problem]:
    """Return a problem if a compound, by cell line, name and plate of its wells, lies on several plates."""
    plates: dict[tuple[str, str], set[str]] = {}
    for cell_line, compound, plate in wells:
        if plate is not None:
            plates.setdefault((cell_line, compound), set()).add(plate)
    several = next((key for key, names in plates.items() if len(names) > 1), None)
    if several is None:
        return []
    detail = (
        f"{several[1]} in {several[0]} lies on several plates, whose effects cannot be estimated together with {remedy}"
    )
    return [Problem(detail, field="plate")]


def fit_weighted(
    data: Sequence[DoseResponseData],
    weighting: Weighting,
    fit: Callable[[Sequence[DoseResponseData]], Sequence[CurveFit]],
) -> Sequence[CurveFit]:
    """Return the fits of all compounds; weights from the response are those of the fitted curve, computed twice.

    p-values are then those without weights: without an effect all responses have one expectation and one variance, so
    that the test without weights is exact, and weights that follow the data are not.
    """
    fits = first = fit(data)
    if weighting.power is None:
        return fits
    for _ in range(_ROUNDS):
        weights = [_weights(d, each, weighting.power) for d, each in zip(data, fits, strict=True)]
        fits = fit([replace(d, weight=weight) for d, weight in zip(data, weights, strict=True)])
    return [
        replace(weighted, p_value=plain.p_value, anova_p=plain.anova_p)
        for weighted, plain in zip(fits, first, strict=True)
    ]


def _weights(data: DoseResponseData, fit: CurveFit, power: int) -> Float:
    # A curve may leave the range of the data where they are near zero.
    floor = float(data.response.min())
    return np.asarray(np.maximum(fit.predict(data.concentration), floor) ** -float(power))
