"""Cells of a column of concentrations: with the unit of the header, of the cell or of a column of units."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gandl_shared.plates.tables.quantities.numbers import Mark, Quantity, parse_quantity
from gandl_shared.plates.tables.quantities.units import DoseScale, unit_power

MIN_SIZE, MAX_SIZE = 1e-100, 1e100
"""Squares of smaller or larger numbers leave the range of floating point."""
NO_UNIT = "names no unit"


@dataclass(frozen=True, kw_only=True)
class ConcentrationColumn:
    """How the cells of a column are read: its `header`, its scale, the decimal mark of the file.

    `unit` names the unit of the results in messages, and `unit_power` is its power of ten in µM.
    """

    header: str
    scale: DoseScale
    mark: Mark
    unit: str = "µM"
    unit_power: int = 0

    def read(self, text: str, unit: str = "") -> float:
        """Return the concentration in a cell; `unit` is that of a column of units.

        Raises ValueError with a sentence for what is no number or whose unit is unclear.
        """
        quantity = parse_quantity(text, self.mark)
        if quantity is None:
            raise ValueError(f"'{text}' is not a number; give the concentration in {self.unit}")
        value = self._scaled(quantity, text, unit)
        if not math.isfinite(value) or (value and not MIN_SIZE < abs(value) < MAX_SIZE):
            raise ValueError(f"'{text}' is beyond {MIN_SIZE:g} to {MAX_SIZE:g}; give it in another unit")
        return value

    def _scaled(self, quantity: Quantity, text: str, unit: str) -> float:
        power = self._power(quantity.unit or unit, text)
        if quantity.unit and self.scale.is_log:
            raise ValueError(f"'{text}' has a unit, but '{self.header}' holds logarithms; give one of them")
        if unit and power is not None and self.scale.power not in (None, power):
            raise ValueError(f"the unit '{unit}' contradicts the header '{self.header}'; correct one of them")
        unit_power = self.scale.power if power is None else power
        if unit_power is not None:
            return self.scale.convert(quantity.value, unit_power - self.unit_power)
        # Zero is zero in every unit.
        if not quantity.value and not self.scale.is_log:
            return 0.0
        raise ValueError(f"'{self.header}' {NO_UNIT}; write it into the header, such as conc_nM")

    @staticmethod
    def _power(unit: str, text: str) -> int | None:
        if not unit:
            return None
        power = unit_power(unit)
        if power is None:
            raise ValueError(f"'{text}' is not a number with a molar unit, because '{unit}' is none; give µM or nM")
        return power
