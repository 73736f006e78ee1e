"""What an export selects of a screen."""

from __future__ import annotations

import pytest
from gandl_analysis.formats.exports.source import ExportChoice, chosen_cell_line, chosen_curves, chosen_plate, wells_of
from gandl_shared.errors import Invalid, NotFound

from tests.analysis.formats.exports.hostile import EVERYTHING, hostile_source

SOURCE = hostile_source()


def test_curves_are_chosen_by_compound_and_cell_line() -> None:
    assert len(chosen_curves(SOURCE, EVERYTHING)) == 24
    assert [c.cell_line for c in chosen_curves(SOURCE, ExportChoice(compound="Arbidol"))] == ["HRCE", "VERO"]
    with pytest.raises(NotFound, match="no curve of compound 'Water' and cell line 'HRCE'"):
        chosen_curves(SOURCE, ExportChoice(compound="Water", cell_line="HRCE"))


def test_one_of_several_must_be_chosen() -> None:
    assert chosen_plate(SOURCE, ExportChoice(plate="VERO-2")) == "VERO-2"
    assert {well.plate for well in wells_of(SOURCE, "VERO-2")} == {"VERO-2"}
    with pytest.raises(Invalid, match="cell_line"):
        chosen_cell_line(SOURCE, EVERYTHING)
