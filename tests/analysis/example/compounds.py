"""Invented compounds, one for every kind of curve."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gandl_shared.schemas.curve import CurveModel, Relation
from gandl_shared.schemas.vocabulary import Flag, Verdict

DOSES = (0.01, 0.05, 0.25, 1.25, 6.25, 31.25)
"""In µM."""


@dataclass(frozen=True)
class ExampleCompound:
    """How an invented compound behaves: the efficacy rises from −1 to `top` at `ec50` and falls again at `loss`, and
    the cells are off the axis from the dose `off_from` on."""

    name: str
    verdict: Verdict
    ec50: float | None = None
    slope: float = 1.4
    top: float = 0.9
    loss: float | None = None
    off_from: float | None = None
    relation: Relation = Relation.EQUAL
    flags: tuple[Flag, ...] = ()

    @property
    def model(self) -> CurveModel:
        """The model that a fit would choose."""
        return CurveModel.CONSTANT if self.ec50 is None else CurveModel.GAIN_LOSS if self.loss else CurveModel.HILL

    def efficacy(self, dose: float) -> float:
        """Return the efficacy at a dose in µM."""
        if self.ec50 is None:
            return -0.97
        gain = 1 / (1 + math.pow(self.ec50 / dose, self.slope))
        loss = 1 / (1 + math.pow(dose / self.loss, 3)) if self.loss else 1.0
        return -1 + (self.top + 1) * gain * loss


COMPOUNDS = (
    ExampleCompound("Remdesivir", Verdict.ACTIVE, 0.12, 1.8, 0.96),
    ExampleCompound("GS-441524", Verdict.ACTIVE, 1.4, 1.2, 0.91),
    ExampleCompound("Aloxistatin", Verdict.ACTIVE, 0.031, 1.0, 0.72),
    ExampleCompound(
        "Bemcentinib",
        Verdict.ACTIVE_BIPHASIC,
        0.22,
        2.2,
        0.88,
        loss=9.0,
        off_from=6.25,
        flags=(Flag.BIPHASIC_TOXIC_DROP,),
    ),
    ExampleCompound(
        "Nelfinavir mesylate",
        Verdict.ACTIVE,
        40.0,
        1.6,
        0.8,
        relation=Relation.ABOVE,
        flags=(Flag.EC50_ABOVE_RANGE, Flag.TOP_NOT_REACHED),
    ),
    ExampleCompound(
        "Pacritinib",
        Verdict.ACTIVE,
        0.004,
        1.3,
        0.85,
        relation=Relation.BELOW,
        flags=(Flag.EC50_BELOW_RANGE, Flag.ACTIVE_AT_ALL_DOSES),
    ),
    ExampleCompound("Bortezomib", Verdict.TOXIC, off_from=0.05, flags=(Flag.INACTIVE, Flag.HIGH_OFF_PERTURBATION)),
    ExampleCompound("Puromycin", Verdict.TOXIC, off_from=1.25, flags=(Flag.INACTIVE, Flag.HIGH_OFF_PERTURBATION)),
    ExampleCompound("Famotidine", Verdict.INACTIVE, flags=(Flag.INACTIVE,)),
    ExampleCompound("Hydroxychloroquine sulfate", Verdict.INACTIVE, flags=(Flag.INACTIVE,)),
    ExampleCompound(
        "5-Ethynyl-2′-deoxyuridine (click reagent) & <i>friends</i>",
        Verdict.UNDETERMINED,
        3.1,
        0.4,
        0.1,
        flags=(Flag.LACK_OF_FIT, Flag.OUTLIERS_DOWNWEIGHTED, Flag.SLOPE_AT_BOUND),
    ),
    ExampleCompound("Arbidol", Verdict.INACTIVE, flags=(Flag.INACTIVE, Flag.LOW_REPLICATES)),
)
