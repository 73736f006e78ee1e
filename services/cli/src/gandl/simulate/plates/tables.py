"""The tables beside the images: plate map, truth by compound, truth by well, and the design itself."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType

from gandl.simulate.cells.morphology import STAINS
from gandl.simulate.cells.pharmacology import Response
from gandl.simulate.plates.design import ScreenDesign
from gandl.simulate.plates.layout import SimulatedPlate

PLATEMAP = ("plate", "well", "role", "compound", "concentration_um", "cell_line")
TRUTH = (
    "compound", "cell_line", "behaviour", "ec50_um", "slope", "max_rescue", "toxicity_ec50_um", "toxicity_slope",
    "top_efficacy", "lowest_dose_um", "highest_dose_um", "expected_verdict",
)  # fmt: skip
WELLS = ("plate", "well", "rescue", "toxicity", "efficacy")

Cell = str | float | None


def write_tables(out: Path, design: ScreenDesign, plates: Sequence[SimulatedPlate]) -> None:
    """Write `platemap.csv`, `truth.csv`, `truth_wells.csv` and `design.json` into a folder."""
    _write(out / "platemap.csv", PLATEMAP, _platemap_rows(plates))
    write_truth(out / "truth.csv", design)
    _write(out / "truth_wells.csv", WELLS, _well_rows(plates))
    values = asdict(design) | {"channels": list(STAINS)}
    (out / "design.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def write_truth(path: Path, design: ScreenDesign, names: Mapping[str, str] = MappingProxyType({})) -> None:
    """Write the truth of each compound and cell line. `names` are other names of cell lines."""
    _write(path, TRUTH, _truth_rows(design, names))


def _platemap_rows(plates: Sequence[SimulatedPlate]) -> Iterable[tuple[Cell, ...]]:
    for plate in plates:
        for well in plate.wells:
            yield plate.name, well.name, well.role, well.compound, well.dose_um, plate.cell_line


def _truth_rows(design: ScreenDesign, names: Mapping[str, str]) -> Iterable[tuple[Cell, ...]]:
    doses = design.ladder.doses()
    for compound in design.compounds:
        for cell_line in design.cell_lines:
            response = compound.in_cells(cell_line)
            name = names.get(cell_line, cell_line)
            yield (
                compound.name, name, response.behaviour, *_curve(response), doses[0], doses[-1],
                response.expected_verdict(doses[-1]),
            )  # fmt: skip


def _curve(response: Response) -> tuple[Cell, ...]:
    """Return the columns ec50_um to top_efficacy; a column without a meaning for the behaviour is empty."""
    rescue: tuple[Cell, ...] = (None, None, None)
    if response.ec50_um is not None:
        rescue = (response.ec50_um, response.slope, response.max_rescue)
    toxicity: tuple[Cell, ...] = (None, None)
    if response.toxicity_ec50_um is not None:
        toxicity = (response.toxicity_ec50_um, response.toxicity_slope)
    top = -1.0 if response.ec50_um is None else -1.0 + 2.0 * response.max_rescue
    return *rescue, *toxicity, top


def _well_rows(plates: Sequence[SimulatedPlate]) -> Iterable[tuple[Cell, ...]]:
    for plate in plates:
        for well in plate.wells:
            if well.state is not None:
                state = well.state
                yield plate.name, well.name, state.rescue, state.toxicity, state.efficacy


def _write(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([_text(value) for value in row] for row in rows)


def _text(value: Cell) -> str:
    if value is None:
        return ""
    # Six digits are more than the four of a dose, so reading a table back changes nothing.
    return value if isinstance(value, str) else f"{value:.6g}"
