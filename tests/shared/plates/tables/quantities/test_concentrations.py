"""A cell of a dose: the unit of the cell, of the column of units or of the header, and never none."""

from __future__ import annotations

import pytest
from gandl_shared.plates.tables.quantities.concentrations import ConcentrationColumn
from gandl_shared.plates.tables.quantities.numbers import Mark
from gandl_shared.plates.tables.quantities.units import DoseScale


def column(power: int | None, *, is_log: bool = False) -> ConcentrationColumn:
    return ConcentrationColumn(header="conc", scale=DoseScale(power, is_log=is_log), mark=Mark.POINT)


def test_the_unit_of_the_cell_wins_over_the_header() -> None:
    assert column(0).read("300 nM") == 0.3
    assert column(-3).read("300") == 0.3
    assert column(None).read("300", "nM") == 0.3
    assert column(None).read("0") == 0


@pytest.mark.parametrize(
    ("power", "text", "unit", "words"),
    [
        (None, "3", "", "names no unit"),
        (0, "3", "nM", "the unit 'nM' contradicts the header 'conc'"),
        (0, "3 mg/ml", "", "'mg/ml' is none; give µM or nM"),
        (0, "three", "", "'three' is not a number"),
        (0, "1e200", "", "is beyond 1e-100 to 1e+100"),
    ],
)
def test_what_is_unclear_is_refused(power: int | None, text: str, unit: str, words: str) -> None:
    with pytest.raises(ValueError, match=words.replace("+", r"\+")):
        column(power).read(text, unit)


def test_a_logarithm_has_no_unit_in_the_cell() -> None:
    assert column(6, is_log=True).read("-6") == pytest.approx(1)
    with pytest.raises(ValueError, match="holds logarithms"):
        column(6, is_log=True).read("-6 M")
