"""A plate map that marks wells to leave out is refused with what to do; blanks and words for no mark nothing."""

from __future__ import annotations

import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates import parse_plate_map
from gandl_shared.plates.map_table.exclusion_marks import exclusion_reason

ROWS = ("P,A01,poscon", "P,A02,negcon", "P,A03,negcon")


def text(column: str, *cells: str) -> str:
    rows = [f"{row},{cell}" for row, cell in zip(ROWS, cells, strict=True)]
    return "\n".join([f"plate,well,role,{column}", *rows])


@pytest.mark.parametrize("column", ["excluded", "Metadata_Excluded", "exclude", "Exclusion Reason", "omit"])
@pytest.mark.parametrize("mark", ["true", "1", "bubble", "1.0"])
def test_a_mark_is_refused_with_its_row_and_the_fix(column: str, mark: str) -> None:
    with pytest.raises(InvalidPlateMap) as error:
        parse_plate_map(text(column, "", "no", mark), source="m.csv")
    (problem,) = error.value.problems
    assert (problem.row, problem.field) == (4, column)
    assert f"'{mark}' marks a well to leave out (1 row)" in problem.detail
    assert "write empty as the role of these wells" in problem.detail


@pytest.mark.parametrize("mark", ["", "no", "False", "0", "0.0", "NA"])
def test_a_column_without_marks_is_kept(mark: str) -> None:
    plate_map = parse_plate_map(text("excluded", mark, mark, mark), source="m.csv")
    assert [dict(well.metadata) for well in plate_map.wells] == [{"excluded": mark}] * 3


def test_a_mere_yes_becomes_a_word() -> None:
    assert [exclusion_reason(cell) for cell in ("yes", "1.0", "no", "edge")] == ["excluded", "excluded", None, "edge"]
