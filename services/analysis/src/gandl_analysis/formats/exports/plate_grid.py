"""Plates as grids of numbers: for each plate its name, the numbers of the columns, and one line per row of wells."""

from __future__ import annotations

import csv
import io

from gandl_shared.errors import NotFound
from gandl_shared.files.formulas import neutral_text
from gandl_shared.plates.well_names import row_letters, well_name

from gandl_analysis.figures.plate import plate_format
from gandl_analysis.formats.exports.source import ExportChoice, ExportSource, chosen_plate, wells_of
from gandl_analysis.report.quantities import Quantity, Value, quantities


def plate_grid(source: ExportSource, choice: ExportChoice) -> bytes:
    """Return the chosen plate, or all plates one below the other, by the chosen quantity or by efficacy.

    A cell without a value is empty. Raises NotFound for a plate or a quantity that the screen does not have.
    """
    plates = dict.fromkeys(well.plate for well in source.analysis.wells)
    selection = list(plates) if choice.plate is None else [chosen_plate(source, choice)]
    quantity = chosen_quantity(source, choice)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    for number, plate in enumerate(selection):
        if number:
            writer.writerow([])
        rows, columns = plate_format(wells_of(source, plate))
        # A plate reader's export names the plate first; plate maps in this form can be read back by gandl.
        writer.writerow([neutral_text(plate), quantity.name])
        writer.writerow(["", *range(1, columns + 1)])
        for row in range(1, rows + 1):
            values = [quantity.values.get((plate, well_name(row, column))) for column in range(1, columns + 1)]
            writer.writerow([row_letters(row), *map(_cell, values)])
    return text.getvalue().encode()


def chosen_quantity(source: ExportSource, choice: ExportChoice) -> Quantity:
    """Return the chosen quantity, efficacy if none is chosen. Raises NotFound naming those that the screen has."""
    name = choice.quantity or "efficacy"
    by_name = {quantity.name: quantity for quantity in quantities(source.analysis)}
    if name not in by_name:
        raise NotFound(f"screen '{source.screen}' has no quantity '{name}'; it has {', '.join(by_name)}")
    return by_name[name]


def _cell(value: Value) -> str:
    if value is None:
        return ""
    return neutral_text(value) if isinstance(value, str) else repr(float(value))
