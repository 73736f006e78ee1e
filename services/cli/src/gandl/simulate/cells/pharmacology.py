"""What a dose does to the cells of a well, and so what an analysis ought to find.

A well is a mixture: a fraction of its cells is poisoned, the others look infected or healthy. The mean over a well of
any score of its tiles is then linear in those fractions, so on the scale where negative controls are -1 and positive
controls +1 the expected efficacy is -1 + 2 · rescue · (1 - poisoned): a Hill curve, or the gain-loss curve where the
compound also poisons, whatever featurizer reads the images. `ec50_um` is the inflection of the rising limb.
"""

from __future__ import annotations

from dataclasses import dataclass

from gandl_shared.errors import Problem

INFECTED_AMONG_NEGATIVES = 0.95
"""Fraction of infected cells in infected, untreated wells: no infection reaches every cell."""
INFECTED_AMONG_POSITIVES = 0.03
"""Fraction of cells that look infected in uninfected wells: stressed and dying cells exist everywhere."""


@dataclass(frozen=True)
class WellState:
    """Expected fractions of a well: `rescue` of the infection undone (0..1), `toxicity` of all cells poisoned."""

    rescue: float
    toxicity: float = 0.0

    @property
    def efficacy(self) -> float:
        """Expected efficacy, -1 (infected) to +1 (healthy); a poisoned cell counts as not rescued."""
        return -1.0 + 2.0 * self.rescue * (1.0 - self.toxicity)

    @property
    def infected(self) -> float:
        """Fraction of the not poisoned cells that look infected: linear in `rescue` between the two controls."""
        span = INFECTED_AMONG_NEGATIVES - INFECTED_AMONG_POSITIVES
        return INFECTED_AMONG_NEGATIVES - self.rescue * span


@dataclass(frozen=True)
class Response:
    """A compound's effect on one cell line. `ec50_um` None: no rescue; `toxicity_ec50_um` None: no toxicity.

    `max_rescue` is the plateau of the rising limb as a fraction of full rescue (top efficacy = -1 + 2 max_rescue).
    """

    ec50_um: float | None = None
    slope: float = 1.5
    max_rescue: float = 1.0
    toxicity_ec50_um: float | None = None
    toxicity_slope: float = 2.5

    def at(self, dose_um: float) -> WellState:
        """The state of a well at a dose, µM."""
        rescue = 0.0 if self.ec50_um is None else self.max_rescue * hill(dose_um, self.ec50_um, self.slope)
        if self.toxicity_ec50_um is None:
            return WellState(rescue)
        return WellState(rescue, hill(dose_um, self.toxicity_ec50_um, self.toxicity_slope))

    @property
    def behaviour(self) -> str:
        """`rescue`, `rescue_then_toxic`, `inert` or `toxin`."""
        if self.ec50_um is None:
            return "inert" if self.toxicity_ec50_um is None else "toxin"
        return "rescue" if self.toxicity_ec50_um is None else "rescue_then_toxic"

    def expected_verdict(self, highest_um: float) -> str:
        """The verdict a faultless analysis gives, in the words of `dose_response.csv`, tested up to `highest_um`.

        Toxicity counts where it reaches a fifth of the cells at the highest dose.
        """
        poisons = self.at(highest_um).toxicity >= 0.2
        if self.ec50_um is None:
            return "toxic" if poisons else "inactive"
        return "active_biphasic" if poisons else "active"

    def problems(self, name: str) -> list[Problem]:
        """What makes these values impossible, each naming the compound and the field."""
        positive = ("ec50_um", "slope", "toxicity_ec50_um", "toxicity_slope")
        found = [
            Problem(f"{name}: {value:g} is not a positive number", field=field)
            for field in positive
            if (value := getattr(self, field)) is not None and not 0 < value < float("inf")
        ]
        if not 0 < self.max_rescue <= 1:
            found.append(Problem(f"{name}: {self.max_rescue:g} is not in 0..1", field="max_rescue"))
        return found


HEALTHY = WellState(rescue=1.0)
INFECTED = WellState(rescue=0.0)


def hill(dose: float, ec50: float, slope: float) -> float:
    """dose^slope / (dose^slope + ec50^slope), 0 at dose 0."""
    return 0.0 if dose <= 0 else 1.0 / (1.0 + (ec50 / dose) ** slope)
