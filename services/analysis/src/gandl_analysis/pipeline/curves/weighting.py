"""Weights of wells in a fit: those of the table, or those of a constant relative error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from enum import StrEnum

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.results import CurveFit, DoseResponseData
from gandl_shared.errors import InvalidTable, Problem, raise_if

from gandl_analysis.pipeline.curves.wells import CurveWell

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
    plates: dict[tuple[str, str], set[str]] = {}
    for well in wells:
        if well.plate is not None:
            plates.setdefault((well.cell_line, well.compound), set()).add(well.plate)
    several = next((key for key, names in plates.items() if len(names) > 1), None)
    if several is not None:
        detail = (
            f"{several[1]} in {several[0]} lies on several plates, whose effects cannot be estimated together with "
            "--weights; leave out --weights or the column plate"
        )
        problems.append(Problem(detail, field="plate"))
    raise_if(problems, InvalidTable, "the weights cannot be used")


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
