"""A published table with one row per field of view, put together to wells; cells that must agree are compared."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from operator import itemgetter

from gandl_shared.errors import InvalidPlateMap, Problem, raise_if
from gandl_shared.plates.columns import column_key
from gandl_shared.plates.tables.quantities.numbers import is_missing
from gandl_shared.plates.tables.table import Row, Table
from gandl_shared.plates.well_names import standard_well_name

MAX_PROBLEMS = 20
"""A table of 300,000 rows may have as many problems, of which so many of a kind are reported."""


@dataclass(frozen=True, kw_only=True)
class WellRows:
    """The rows of one well: the plate and the well by name, and the rows of its fields of view in their order."""

    plate: str
    well: str
    rows: tuple[Row, ...]

    @property
    def number(self) -> int:
        """The number of the first row in the file."""
        return self.rows[0].number


class SiteTable:
    """The columns of a published table by the key of their name. Blank cells and `nan` are empty texts."""

    def __init__(self, table: Table, required: Sequence[str], title: str) -> None:
        self.table = table
        self._index = {column_key(name): i for i, name in enumerate(table.header)}
        missing = [name for name in required if name not in self._index]
        if missing:
            detail = f"the column {', '.join(repr(name) for name in missing)} of {title} is missing"
            header = ", ".join(table.header[:20])
            problem = Problem(
                f"{detail}; the header is: {header}", file=table.source, row=table.header_row, field=missing[0]
            )
            raise_if([problem], InvalidPlateMap, f"plate map {table.source} cannot be used")

    def cell(self, row: Row, column: str) -> str:
        """Return a cell; empty where it is missing or the table has no such column."""
        index = self._index.get(column)
        text = "" if index is None else row.cells[index]
        return "" if is_missing(text) else text

    def column(self, column: str) -> list[str]:
        """Return the cells of a column that the table has, as `cell` does, in the order of the rows."""
        index = self._index[column]
        texts = [row.cells[index] for row in self.table.rows]
        missing = set(filter(is_missing, set(texts)))
        return ["" if text in missing else text for text in texts] if missing else texts

    def problem(self, row: int, column: str, detail: str) -> Problem:
        """Return a problem of a cell."""
        index = self._index.get(column)
        field = column if index is None else self.table.header[index]
        return Problem(detail, file=self.table.source, row=row, field=field)

    def wells(self, plates: Iterable[str], well: str, problems: list[Problem]) -> list[WellRows]:
        """Return the wells in order of first appearance, where `plates` has the name of the plate of each row.

        A row whose cell in the column `well` is no well is added to `problems` and left out.
        """
        groups: dict[tuple[str, str], list[Row]] = {}
        names: dict[str, str | None] = {}
        for row, plate, text in zip(self.table.rows, plates, self.column(well), strict=True):
            if text not in names:
                names[text] = _well_name(text)
            name = names[text]
            if name is None:
                problems.append(self.problem(row.number, well, f"'{text}' is no well; wells look like A01 or AF48"))
                continue
            groups.setdefault((plate, name), []).append(row)
        return [WellRows(plate=plate, well=name, rows=tuple(rows)) for (plate, name), rows in groups.items()]

    def disagreements(self, wells: Sequence[WellRows], columns: Sequence[str]) -> Iterator[Problem]:
        """Yield a problem for each well whose rows have different cells in one of the columns."""
        content = itemgetter(*(self._index[name] for name in columns if name in self._index))
        for each in wells:
            first = each.rows[0]
            # Rows that are equal as they are need no look at their cells one by one.
            expected = content(first.cells)
            for row in (row for row in each.rows[1:] if content(row.cells) != expected):
                for column in columns:
                    one, other = self.cell(first, column), self.cell(row, column)
                    if one != other:
                        detail = (
                            f"well {each.well} of plate {each.plate} has '{other}' here and '{one}' in row "
                            f"{first.number}; the fields of a well have one content"
                        )
                        yield self.problem(row.number, column, detail)

    def further(self, row: Row, columns: Sequence[str]) -> Mapping[str, str]:
        """Return the cells of further columns by the names that the table gives them; absent columns are left out."""
        present = [(self.table.header[self._index[name]], name) for name in columns if name in self._index]
        return {header: self.cell(row, name) for header, name in present}


def _well_name(text: str) -> str | None:
    try:
        return standard_well_name(text)
    except ValueError:
        return None


def first_of_kind(problems: Iterable[Problem], kind: str) -> list[Problem]:
    """Return at most MAX_PROBLEMS problems, and one that counts the others; `kind` says what they are."""
    every = list(problems)
    more = len(every) - MAX_PROBLEMS
    if more <= 0:
        return every
    rest = Problem(f"{more} more {kind}", file=every[0].file, field=every[0].field)
    return [*every[:MAX_PROBLEMS], rest]
