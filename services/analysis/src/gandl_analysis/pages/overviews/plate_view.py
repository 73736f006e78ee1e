"""What the page of a plate shows: one cell per position, and summaries of rows, columns and the edge."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from gandl_shared.plates.well_names import parse_well, row_letters, well_name
from gandl_shared.schemas.screen import WellScore
from gandl_shared.schemas.vocabulary import Role

from gandl_analysis.figures.light.colours import ROLE_MARKS, ColourScale, colour_scale
from gandl_analysis.figures.marks import well_title
from gandl_analysis.figures.plate import plate_format
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.numbers import NOTHING, number
from gandl_analysis.report.quantities import Quantity, Scale, Value

EFFICACY_LIMIT = 1.0


@dataclass(frozen=True, kw_only=True)
class Shade:
    """The colour of a value, and black or white for what is written on it."""

    colour: str
    ink: str


@dataclass(frozen=True, kw_only=True)
class WellCell:
    """One position of a plate. `well` is None where the plate map has none. `shade` is None without a value, and
    `mark` is a sign for a control, a missing value, an empty well, or the number of a text."""

    name: str
    well: WellScore | None
    title: str
    mark: str
    shade: Shade | None


@dataclass(frozen=True, kw_only=True)
class Summary:
    """The mean of some wells of a plate, and how many have a value."""

    label: str
    mean: str
    n: int
    shade: Shade | None


@dataclass(frozen=True, kw_only=True)
class PlateRow:
    """A row of wells with its summary."""

    letters: str
    cells: tuple[WellCell, ...]
    summary: Summary


@dataclass(frozen=True, kw_only=True)
class PlateView:
    """A plate by one quantity; `edge` and `inside` are the wells of the outer rows and columns, and all others."""

    name: str
    rows: tuple[PlateRow, ...]
    columns: tuple[Summary, ...]
    edge: Summary
    inside: Summary
    is_numeric: bool

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.rows), len(self.columns)


def plates_of(analysis: ScreenAnalysis) -> tuple[str, ...]:
    """Return the names of the plates in plate map order."""
    return tuple(dict.fromkeys(well.plate for well in analysis.wells))


def scale_of(quantity: Quantity) -> ColourScale:
    """Return the colours of a quantity on all plates of a screen."""
    limit = EFFICACY_LIMIT if quantity.name == "efficacy" else None
    is_diverging = quantity.scale is Scale.DIVERGING
    return colour_scale(list(quantity.values.values()), is_diverging=is_diverging, limit=limit)


def plate_view(analysis: ScreenAnalysis, plate: str, quantity: Quantity) -> PlateView:
    """Return a plate by a quantity. Raises ValueError where it has no wells."""
    wells = {well.well: well for well in analysis.wells if well.plate == plate}
    rows, columns = plate_format(list(wells.values()))
    scale = scale_of(quantity)
    values = {name: quantity.values.get((plate, name)) for name in wells}
    numbers = {parse_well(name): float(value) for name, value in values.items() if isinstance(value, (int, float))}

    def summary(label: str, positions: Iterable[tuple[int, int]]) -> Summary:
        return _summary(label, [numbers[position] for position in positions if position in numbers], scale)

    grid = [(row, column) for row in range(1, rows + 1) for column in range(1, columns + 1)]
    outer = [(r, c) for r, c in grid if r in (1, rows) or c in (1, columns)]
    return PlateView(
        name=plate,
        rows=tuple(
            PlateRow(
                letters=row_letters(row),
                cells=tuple(_cell(well_name(row, c), wells, values, quantity, scale) for c in range(1, columns + 1)),
                summary=summary(row_letters(row), [p for p in grid if p[0] == row]),
            )
            for row in range(1, rows + 1)
        ),
        columns=tuple(summary(str(column), [p for p in grid if p[1] == column]) for column in range(1, columns + 1)),
        edge=summary("edge", outer),
        inside=summary("inside", set(grid) - set(outer)),
        is_numeric=bool(numbers),
    )


def value_text(value: Value) -> str:
    """Return a value for readers."""
    return NOTHING if value is None else value if isinstance(value, str) else number(float(value))


def _cell(
    name: str, wells: Mapping[str, WellScore], values: Mapping[str, Value], quantity: Quantity, scale: ColourScale
) -> WellCell:
    well, value = wells.get(name), values.get(name)
    if well is None:
        return WellCell(name=name, well=None, title=f"{name}: not in the plate map", mark="", shade=None)
    shade = None if value is None else Shade(colour=scale.colour(value), ink=scale.ink(value))
    return WellCell(
        name=name, well=well, title=_title(well, value, quantity), mark=_mark(well, value, scale), shade=shade
    )


def _title(well: WellScore, value: Value, quantity: Quantity) -> str:
    title = well_title(well) + (f", left out: {well.excluded}" if well.excluded else "")
    return title if quantity.name in ("efficacy", "role") else f"{title}, {quantity.label} {value_text(value)}"


def _mark(well: WellScore, value: Value, scale: ColourScale) -> str:
    if value is None:
        return "○" if well.role is Role.EMPTY else "×"
    if isinstance(value, str):
        return str(scale.categories.index(value) + 1)
    return ROLE_MARKS.get(well.role, "")


def _summary(label: str, numbers: Sequence[float], scale: ColourScale) -> Summary:
    if not numbers:
        return Summary(label=label, mean=NOTHING, n=0, shade=None)
    mean = fmean(numbers)
    shade = Shade(colour=scale.colour(mean), ink=scale.ink(mean))
    return Summary(label=label, mean=number(mean, 2), n=len(numbers), shade=shade)
