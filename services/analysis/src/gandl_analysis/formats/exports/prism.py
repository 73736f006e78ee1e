"""The wells of curves as an XY table of GraphPad Prism: one X column, one data set per curve, replicates side by side.

X is the concentration as it is, so that Prism's models of dose-response curves can take its logarithm. A replicate
that the fit left out stays in the table as an excluded value: Prism shows it and does not fit it. In CSV such a value
ends with an asterisk, which is how Prism writes and reads excluded values; the `.pzfx` file marks it.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from gandl_shared.errors import TooLarge
from gandl_shared.files.formulas import neutral_text
from gandl_shared.schemas.curve import Curve, CurvePoint

from gandl_analysis.figures.texts import xml_text
from gandl_analysis.formats.exports.source import ExportChoice, ExportSource, chosen_curves

MAX_REPLICATES = 256
"""The most replicates of a data set that Prism has had room for since version 5."""


@dataclass(frozen=True, kw_only=True)
class PrismTable:
    """One XY table. `replicates` [set][dose] holds the wells of each data set at each dose, at most `subcolumns`."""

    unit: str
    doses: tuple[float, ...]
    titles: tuple[str, ...]
    replicates: tuple[tuple[tuple[CurvePoint, ...], ...], ...]
    subcolumns: int


def prism_csv(source: ExportSource, choice: ExportChoice) -> bytes:
    """Return the table as CSV: the title of a data set stands over each of its replicates."""
    table = prism_table(chosen_curves(source, choice))
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    titles = [neutral_text(title) for title in table.titles for _ in range(table.subcolumns)]
    writer.writerow([f"concentration ({table.unit})", *titles])
    for number, dose in enumerate(table.doses):
        cells = [cell for of_set in table.replicates for cell in _cells(of_set[number], table.subcolumns)]
        writer.writerow([repr(dose), *cells])
    return text.getvalue().encode()


def prism_pzfx(source: ExportSource, choice: ExportChoice) -> bytes:
    """Return the table as a Prism file in XML (`.pzfx`), which opens without an import dialog."""
    table = prism_table(chosen_curves(source, choice))
    root = Element("GraphPadPrismFile", PrismXMLVersion="5.00")
    SubElement(SubElement(root, "TableSequence"), "Ref", ID="Table0", Selected="1")
    attributes = {"ID": "Table0", "XFormat": "numbers", "YFormat": "replicates", "TableType": "XY"}
    sheet = SubElement(root, "Table", attributes, Replicates=str(table.subcolumns), EVFormat="AsteriskAfterNumber")
    SubElement(sheet, "Title").text = xml_text(source.analysis.provenance.screen_name)
    x_values = SubElement(_column(sheet, "XColumn", f"concentration ({table.unit})", 1), "Subcolumn")
    for dose in table.doses:
        SubElement(x_values, "d").text = repr(dose)
    for title, of_set in zip(table.titles, table.replicates, strict=True):
        column = _column(sheet, "YColumn", title, table.subcolumns)
        for number in range(table.subcolumns):
            _subcolumn(column, of_set, number)
    indent(root, " ")
    content: bytes = tostring(root, encoding="utf-8", xml_declaration=True)
    return content


def prism_table(curves: Sequence[Curve]) -> PrismTable:
    """Return the XY table of curves. A well without a response or a dose has no value. Raises TooLarge for more
    replicates than Prism takes."""
    wells = [[p for p in curve.points if p.concentration is not None and p.efficacy is not None] for curve in curves]
    doses = sorted({point.concentration for points in wells for point in points if point.concentration is not None})
    replicates = tuple(tuple(tuple(p for p in points if p.concentration == dose) for dose in doses) for points in wells)
    subcolumns = max((len(cell) for of_set in replicates for cell in of_set), default=1)
    if subcolumns > MAX_REPLICATES:
        raise TooLarge(f"a dose has {subcolumns} replicates, and Prism takes {MAX_REPLICATES}; choose a compound")
    return PrismTable(
        unit=curves[0].ec50.unit,
        doses=tuple(doses),
        titles=tuple(f"{curve.compound} ({curve.cell_line})" for curve in curves),
        replicates=replicates,
        subcolumns=max(subcolumns, 1),
    )


def _cells(wells: Sequence[CurvePoint], subcolumns: int) -> list[str]:
    cells = [f"{well.efficacy!r}{'*' if well.excluded is not None else ''}" for well in wells]
    return cells + [""] * (subcolumns - len(cells))


def _column(sheet: Element, tag: str, title: str, subcolumns: int) -> Element:
    column = SubElement(sheet, tag, Width="89", Decimals="4", Subcolumns=str(subcolumns))
    SubElement(column, "Title").text = xml_text(title)
    return column


def _subcolumn(column: Element, of_set: Sequence[Sequence[CurvePoint]], number: int) -> None:
    values = SubElement(column, "Subcolumn")
    for wells in of_set:
        cell = SubElement(values, "d")
        if number < len(wells):
            cell.text = repr(wells[number].efficacy)
            if wells[number].excluded is not None:
                cell.set("Excluded", "1")
