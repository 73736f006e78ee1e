"""One compound whose curve a user asks for: its dose means and the bounds of its curve."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from gandl_science.dose_response.families.least_squares import CurveProblem
from gandl_science.dose_response.families.request import CurveRequest, Plateau
from gandl_science.dose_response.families.shapes import BRAIN_COUSENS, FIVE_PARAMETER, HILL_FAMILY, FamilyShape
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.records.vocabulary import CurveModel
from gandl_science.dose_response.solver.means import DoseMeans

_SHAPES: Mapping[CurveModel, FamilyShape] = {
    CurveModel.HILL: HILL_FAMILY,
    CurveModel.FIVE_PARAMETER: FIVE_PARAMETER,
    CurveModel.BRAIN_COUSENS: BRAIN_COUSENS,
}


@dataclass(frozen=True, kw_only=True)
class RefitTask:
    """One compound that is fitted again: its dose means (one row) and the bounds of its curve."""

    data: DoseMeans
    model: CurveModel
    request: CurveRequest
    space: SearchSpace
    confidence: float

    @property
    def shape(self) -> FamilyShape:
        """The form of the curve."""
        return _SHAPES[self.model]

    @property
    def scale(self) -> float:
        """The spread of the dose means, by which responses are divided while they are fitted."""
        return float(np.ptp(self.data.mean[0])) or 1.0

    @property
    def total_weight(self) -> float:
        """The effective number of wells."""
        return float(self.data.total_weight[0])

    def problem(self, direction: float, scale: float) -> CurveProblem:
        """Return the problem of a rising (1) or falling (-1) curve, in responses divided by `scale`."""
        slope = self.request.slope
        slopes = (self.space.slope_low, self.space.slope_high) if slope is None else (slope.low, slope.high)
        low, high = [float(np.ravel(self.space.low)[0])], [float(np.ravel(self.space.high)[0])]
        low.append(float(np.log(max(slopes[0], self.shape.min_slope))))
        high.append(float(np.log(slopes[1])))
        if self.shape.extra is not None:
            low.append(float(np.log(self.shape.extra_bounds[0])))
            high.append(float(np.log(self.shape.extra_bounds[1])))
        for plateau in Plateau:
            limits = self._plateau_limits(plateau)
            low.append(limits[0] / scale)
            high.append(limits[1] / scale)
        return CurveProblem(
            x=self.data.x[0],
            mean=self.data.mean[0] / scale,
            weight=self.data.weight[0],
            shape=self.shape,
            direction=direction,
            low=np.array(low),
            high=np.array(high),
        )

    def _plateau_limits(self, plateau: Plateau) -> tuple[float, float]:
        """Return the limits of a plateau. A free one stays on its side of the other, where that one is limited."""
        own = self.request.limits_of(plateau)
        other = self.request.limits_of(Plateau.TOP if plateau is Plateau.BOTTOM else Plateau.BOTTOM)
        low, high = (-np.inf, np.inf) if own is None else (own.low, own.high)
        if other is None:
            return low, high
        return (low, min(high, other.high)) if plateau is Plateau.BOTTOM else (max(low, other.low), high)
