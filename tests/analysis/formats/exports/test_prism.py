"""The XY table for Prism, with the values that a screen of four replicates must give."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from xml.etree import ElementTree

from gandl_analysis.formats.exports.prism import prism_csv, prism_pzfx
from gandl_analysis.formats.exports.source import ExportChoice, ExportSource

from tests.analysis.example.compounds import DOSES
from tests.analysis.formats.exports.hostile import EVERYTHING, FORMULA, hostile_source

ONE = ExportChoice(compound=FORMULA, cell_line="HRCE")


def excluding_the_first_well() -> ExportSource:
    source = hostile_source()
    curve = source.analysis.curves[0]
    first = curve.points[0].model_copy(update={"excluded": "left out by a person", "weight": 0.0})
    curves = (curve.model_copy(update={"points": (first, *curve.points[1:])}), *source.analysis.curves[1:])
    return replace(source, analysis=source.analysis.model_copy(update={"curves": curves}))


def test_replicates_stand_side_by_side_at_their_dose() -> None:
    source = hostile_source()
    header, *rows = csv.reader(io.StringIO(prism_csv(source, ONE).decode()))
    assert header == ["concentration (uM)", *[f"'{FORMULA} (HRCE)"] * 4]
    assert [float(row[0]) for row in rows] == list(DOSES)
    points = source.analysis.curves[0].points
    for row in rows:
        wells = [p.efficacy for p in points if p.concentration == float(row[0]) and p.efficacy is not None]
        assert [float(cell) for cell in row[1:] if cell] == wells


def test_all_curves_have_equally_many_replicate_columns() -> None:
    header, *rows = csv.reader(io.StringIO(prism_csv(hostile_source(), EVERYTHING).decode()))
    assert len(header) == 1 + 4 * 24
    assert {len(row) for row in rows} == {len(header)}


def test_an_excluded_value_stays_and_is_marked() -> None:
    source = excluding_the_first_well()
    value, dose = source.analysis.curves[0].points[0].efficacy, source.analysis.curves[0].points[0].concentration
    rows = list(csv.reader(io.StringIO(prism_csv(source, ONE).decode())))[1:]
    (row,) = [row for row in rows if float(row[0]) == dose]
    assert row[1] == f"{value!r}*"
    root = ElementTree.fromstring(prism_pzfx(source, ONE))
    (cell,) = [cell for cell in root.iter("d") if cell.get("Excluded") == "1"]
    assert float(cell.text or "nan") == value


def test_the_prism_file_holds_the_same_table() -> None:
    root = ElementTree.fromstring(prism_pzfx(hostile_source(), ONE))
    table = root.find("Table")
    assert table is not None
    assert (table.get("TableType"), table.get("YFormat"), table.get("Replicates")) == ("XY", "replicates", "4")
    x_values = [cell.text for cell in table.findall("XColumn/Subcolumn/d")]
    assert [float(text or "nan") for text in x_values] == list(DOSES)
    assert [title.text for title in table.findall("YColumn/Title")] == [f"{FORMULA} (HRCE)"]
    assert [len(part.findall("d")) for part in table.findall("YColumn/Subcolumn")] == [6, 6, 6, 6]
