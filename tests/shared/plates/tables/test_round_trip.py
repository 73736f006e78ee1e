"""A plate map in any encoding, separator, decimal mark, unit or form is the same plate map, or it is refused."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

import pytest
from gandl_shared.errors import GandlError, InvalidPlateMap
from gandl_shared.plates import PlateMap, plate_map_of_bytes, row_letters
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.shared.plates.tables.workbook import workbook

UNITS = {"concentration_um": 0, "concentration_nM": 3, "conc (mM)": -3, "Dose [M]": -6, "conc_pM": 6}
ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-32")
NAMES = st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]), min_size=1, max_size=8)
DOSES = st.builds(
    lambda digits, power: Decimal(digits).scaleb(power), st.integers(1, 99_999), st.integers(-8, 2)
).filter(lambda dose: dose < 10**6)


@dataclass(frozen=True)
class Treatment:
    """A well: its compound and its dose in µM."""

    compound: str
    dose: Decimal


def rows(treatments: Sequence[Treatment], header: str, *, comma: bool) -> list[list[str]]:
    table = [["plate", "well", "role", "compound", header, "note"]]
    table += [["P1", "A01", "poscon", "", "", "a,b;c"], ["P1", "A02", "negcon", "", "", ""]]
    for number, treatment in enumerate(treatments, start=1):
        text = format(treatment.dose.scaleb(UNITS[header]), "f")
        dose = text.replace(".", ",") if comma else text
        table.append(["P1", f"B{number:02}", "trt", treatment.compound, dose, ""])
    return table


def text_of(table: Sequence[Sequence[str]], separator: str, end: str) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, delimiter=separator, lineterminator=end).writerows(table)
    return buffer.getvalue()


def pairs(plate_map: PlateMap) -> list[tuple[str, str | None, float | None]]:
    return [(well.well, well.compound, well.concentration_um) for well in plate_map.wells if well.compound]


QUICK = settings(deadline=None, max_examples=60)
TREATMENTS = st.lists(st.builds(Treatment, NAMES, DOSES), min_size=1, max_size=6)


@QUICK
@given(
    treatments=TREATMENTS,
    header=st.sampled_from(sorted(UNITS)),
    comma=st.booleans(),
    separator=st.sampled_from(",;\t"),
    encoding=st.sampled_from(ENCODINGS),
    end=st.sampled_from(["\n", "\r\n"]),
)
def test_a_map_in_any_form_is_the_same_map_or_is_refused(
    treatments: list[Treatment], header: str, comma: bool, separator: str, encoding: str, end: str
) -> None:
    try:
        plain = plate_map_of_bytes(
            text_of(rows(treatments, "concentration_um", comma=False), ",", "\n").encode(), source="m"
        )
    except InvalidPlateMap:
        return  # for example names that differ by case only, or that look like a date
    content = text_of(rows(treatments, header, comma=comma), separator, end).encode(encoding)
    try:
        other = plate_map_of_bytes(content, source="m")
    except InvalidPlateMap as error:
        # A number such as 1,234 can be read in two ways; there is no other reason to refuse.
        assert all("may be" in problem.detail for problem in error.problems), error.problems
        return
    assert pairs(other) == pairs(plain)
    assert [dose for _, _, dose in pairs(plain)] == [float(treatment.dose) for treatment in treatments]


@settings(deadline=None, max_examples=15)
@given(treatments=TREATMENTS)
def test_a_workbook_is_the_same_map(treatments: list[Treatment]) -> None:
    table = rows(treatments, "concentration_um", comma=False)
    try:
        plain = plate_map_of_bytes(text_of(table, ",", "\n").encode(), source="m")
    except InvalidPlateMap:
        return
    numbers = [
        [float(cell) if i == 4 and n and cell else cell for i, cell in enumerate(row)] for n, row in enumerate(table)
    ]
    for row in numbers[1:]:
        # The library takes a text that begins with = for a formula.
        if str(row[3]).startswith("="):
            return
    assert pairs(plate_map_of_bytes(workbook({"map": numbers}), source="m.xlsx")) == pairs(plain)


@QUICK
@given(treatments=TREATMENTS, separator=st.sampled_from(",;\t"))
def test_plate_shaped_blocks_are_the_same_map(treatments: list[Treatment], separator: str) -> None:
    table = rows(treatments, "concentration_um", comma=False)
    try:
        plain = plate_map_of_bytes(text_of(table, ",", "\n").encode(), source="m")
    except InvalidPlateMap:
        return
    cells = {row[1]: row for row in table[1:]}
    lines = [["plate", "P1"]]
    for column, label in ((2, "role"), (3, "compound"), (4, "concentration_um")):
        lines += [[], [label, *map(str, range(1, 13))]]
        for r in range(1, 9):
            wells = [f"{row_letters(r)}{c:02}" for c in range(1, 13)]
            lines.append([row_letters(r), *(cells[well][column] if well in cells else "" for well in wells)])
    try:
        grid = plate_map_of_bytes(text_of(lines, separator, "\n").encode(), source="m")
    except InvalidPlateMap as error:
        assert all("may be" in problem.detail for problem in error.problems), error.problems
        return
    assert pairs(grid) == pairs(plain)


@QUICK
@given(content=st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode)))
@example(content=b"plate,well,role\n\0")
@example(content=b"PK\x03\x04")
@example(content="sep=\n".encode("utf-16"))
@example(content=b'sep="\nplate')
@example(content=b"sep=\rplate\rx")
def test_no_bytes_end_in_anything_but_a_message(content: bytes) -> None:
    for prefix in (b"", b"plate,well,role,compound,conc\n", b"plate;1;2;3\nA;1\n", b"PK\x03\x04", b"\xff\xfe"):
        with pytest.raises(GandlError):
            plate_map_of_bytes(prefix + content, source="m")
