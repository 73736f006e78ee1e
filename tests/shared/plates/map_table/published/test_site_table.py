"""The fields of view of a published table are put together to wells."""

from __future__ import annotations

from gandl_shared.errors import InvalidPlateMap, Problem
from gandl_shared.plates.map_table.published.site_table import MAX_PROBLEMS, SiteTable, first_of_kind
from gandl_shared.plates.tables import TableForm, table_of_text

FORM = TableForm(name="plate map", error=InvalidPlateMap, column_of=lambda name: name or None)


def sites(text: str) -> SiteTable:
    return SiteTable(table_of_text(text, "metadata.csv", FORM), ("plate", "well"), "the test")


def test_wells_are_in_order_of_first_appearance() -> None:
    table = sites("plate,well,site,dose\n1,b2,1,nan\n1,A01,1,3\n1,B02,2,\n")
    problems: list[Problem] = []
    wells = table.wells(["P", "P", "P"], "well", problems)
    assert [(each.plate, each.well, [row.number for row in each.rows]) for each in wells] == [
        ("P", "B02", [2, 4]),
        ("P", "A01", [3]),
    ]
    assert not problems
    assert not list(table.disagreements(wells, ["dose"]))
    assert len(list(table.disagreements(wells, ["site"]))) == 1
    assert table.further(wells[1].rows[0], ["dose", "absent"]) == {"dose": "3"}


def test_no_more_than_some_problems_of_a_kind_are_listed() -> None:
    many = [Problem(str(number), file="a.csv") for number in range(MAX_PROBLEMS + 2)]
    assert first_of_kind(many[:3], "rows") == many[:3]
    assert str(first_of_kind(many, "rows")[-1]) == "a.csv: 2 more rows"
