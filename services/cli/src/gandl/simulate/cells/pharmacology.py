"""The effect of a dose on the cells of a well, and thus the efficacy and the verdict that an analysis should find.

A well is a mixture of cells: a fraction is poisoned, and the others look infected or healthy. The mean over a well of
any score of its tiles is then linear in these fractions. On the scale where negative controls are -1 and positive
controls +1, the expected efficacy is therefore -1 + 2 · rescue · (1 - poisoned), whatever featurizer reads the images.
It is a Hill curve, or the gain-loss curve where the compound also poisons. `ec50_um` is the inflection of the rising
limb.
"""

from __future__ import annotations

from dataclasses import dataclass

from gandl_shared.errors import Problem
from gandl_shared.schemas.vocabulary import Verdict

INFECTED_AMONG_NEGATIVES = 0.95
"""The fraction of infected cells in infected, untreated wells: no infection reaches every cell."""
INFECTED_AMONG_POSITIVES = 0.03
"""The fraction of cells that look infected in uninfected wells: stressed and dying cells exist everywhere."""


@dataclass(frozen=True, kw_only=True)
class WellState:
    """The expected fractions of a well: `rescue` of the infection (0..1), `toxicity` of all cells that are poisoned."""

    rescue: float
    toxicity: float = 0.0

    @property
    def efficacy(self) -> float:
        """The expected efficacy, -1 (infected) to +1 (healthy); a poisoned cell counts as not rescued."""
        return -1.0 + 2.0 * self.rescue * (1.0 - self.toxicity)

    @property
    def infected(self) -> float:
        """The fraction of infected cells among those not poisoned: linear in `rescue` between the two controls."""
        span = INFECTED_AMONG_NEGATIVES - INFECTED_AMONG_POSITIVES
        return INFECTED_AMONG_NEGATIVES - self.rescue * span


@dataclass(frozen=True, kw_only=True)
class Response:
    """The effect of a compound on one cell line. An `ec50_um` of None means no rescue, a `toxicity_ec50_um` of None no
    toxicity.

    `max_rescue` is the plateau of the rising limb as a fraction of full rescue (top efficacy = -1 + 2 max_rescue).
    """

    ec50_um: float | None = None
    slope: float = 1.5
    max_rescue: float = 1.0
    toxicity_ec50_um: float | None = None
    toxicity_slope: float = 2.5

    def at(self, dose_um: float) -> WellState:
        """Return the state of a well at a dose in µM."""
        rescue = 0.0 if self.ec50_um is None else self.max_rescue * hill(dose_um, self.ec50_um, self.slope)
        if self.toxicity_ec50_um is None:
            return WellState(rescue=rescue)
        return WellState(rescue=rescue, toxicity=hill(dose_um, self.toxicity_ec50_um, self.toxicity_slope))

    @property
    def behaviour(self) -> str:
        """One of `rescue`, `rescue_then_toxic`, `inert` and `toxin`."""
        if self.ec50_um is None:
            return "inert" if self.toxicity_ec50_um is None else "toxin"
        return "rescue" if self.toxicity_ec50_um is None else "rescue_then_toxic"

    def expected_verdict(self, highest_um: float) -> Verdict:
        """Return the verdict of a faultless analysis for doses to `highest_um`.

        Toxicity counts if it reaches a fifth of the cells at the highest dose.
        """
        poisons = self.at(highest_um).toxicity >= 0.2
        if self.ec50_um is None:
            return Verdict.TOXIC if poisons else Verdict.INACTIVE
        return Verdict.ACTIVE_BIPHASIC if poisons else Verdict.ACTIVE

    def problems(self, name: str) -> list[Problem]:
        """Return a problem for each impossible value, naming the compound and the field."""
        positive = ("ec50_um", "slope", "toxicity_ec50_um", "toxicity_slope")
        problems = [
            Problem(f"{name}: {value:g} is not a positive number", field=field)
            for field in positive
            if (value := getattr(self, field)) is not None and not 0 < value < float("inf")
        ]
        if not 0 < self.max_rescue <= 1:
            problems.append(Problem(f"{name}: {self.max_rescue:g} is not between 0 and 1", field="max_rescue"))
        return problems


HEALTHY_WELL = WellState(rescue=1.0)
INFECTED_WELL = WellState(rescue=0.0)


def hill(dose: float, ec50: float, slope: float) -> float:
    """Return dose^slope / (dose^slope + ec50^slope), which is 0 at dose 0 (Hill, 1910)."""
    return 0.0 if dose <= 0 else 1.0 / (1.0 + (ec50 / dose) ** slope)
