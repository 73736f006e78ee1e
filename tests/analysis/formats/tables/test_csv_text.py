"""The text of a CSV table: empty cells, numbers that read back, names that are no formulas; and its deletion."""

from __future__ import annotations

from pathlib import Path

from gandl_analysis.formats.tables.csv_text import csv_text, delete_table


def test_a_number_is_its_shortest_text_that_reads_back_and_none_is_an_empty_cell() -> None:
    assert csv_text(("a", "b", "c"), [{"a": 0.1 + 0.2, "b": None}, {"a": 1e-300, "c": 7}]).splitlines() == [
        "a,b,c",
        "0.30000000000000004,,",
        "1e-300,,7",
    ]


def test_a_name_that_would_run_as_a_formula_is_a_text_in_the_header_too() -> None:
    assert csv_text(("=A1()",), [{"=A1()": "=HYPERLINK(0)"}]).splitlines() == ["'=A1()", "'=HYPERLINK(0)"]


def test_only_a_table_with_these_columns_is_deleted(tmp_path: Path) -> None:
    ours, own, absent = (tmp_path / name for name in ("ours.csv", "own.csv", "absent.csv"))
    ours.write_text("a,b\n1,2\n")
    own.write_text("name,dose\nX,2\n")
    for path in (ours, own, absent):
        delete_table(path, ("a", "b"))
    assert not ours.exists()
    assert own.read_text() == "name,dose\nX,2\n"
