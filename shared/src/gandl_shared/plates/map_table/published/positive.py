"""The positive control of a published data set, where its table leaves the choice to the reader."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from gandl_shared.errors import BadInput

EVERY_CONTROL = ("*",)
"""The choice of a reader that needs all cells and no efficacy axis, such as a training."""

_MIN_RELATIVE_DIFFERENCE = 1e-6


@dataclass(frozen=True, kw_only=True)
class CompoundDose:
    """A compound that is the positive control, at one concentration in µM or (None) at all of them."""

    compound: str
    concentration_um: float | None

    def fits(self, compound: str, concentration_um: float | None) -> bool:
        """Return whether a well holds this compound at this concentration."""
        if compound.casefold() != self.compound.casefold():
            return False
        if self.concentration_um is None or concentration_um is None:
            return self.concentration_um is None
        return math.isclose(concentration_um, self.concentration_um, rel_tol=_MIN_RELATIVE_DIFFERENCE)


def compound_doses(words: Sequence[str]) -> tuple[CompoundDose, ...]:
    """Return the compounds in words such as `taxol` or `taxol@0.3`. Raises BadInput for a dose that is no number."""
    return tuple(_compound_dose(word) for word in words if word not in EVERY_CONTROL)


def _compound_dose(word: str) -> CompoundDose:
    compound, at, text = word.rpartition("@")
    if not at:
        return CompoundDose(compound=word.strip(), concentration_um=None)
    try:
        dose = float(text)
    except ValueError:
        dose = math.nan
    if not compound.strip() or not math.isfinite(dose) or dose <= 0:
        raise BadInput(f"--positive-control {word} has no concentration after the @; write it in µM, as in taxol@0.3")
    return CompoundDose(compound=compound.strip(), concentration_um=dose)
