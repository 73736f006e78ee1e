"""The rows of a plate map: each cell is read by the meaning of its column, and every problem is collected."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from gandl_shared.errors import InvalidPlateMap, Problem, raise_if
from gandl_shared.plates.columns import DOSE
from gandl_shared.plates.map_table.columns import MapColumns, choose_columns
from gandl_shared.plates.map_table.doses import DoseCells
from gandl_shared.plates.map_table.reading import MapReading
from gandl_shared.plates.map_table.roles import role_of
from gandl_shared.plates.tables.damage import damage
from gandl_shared.plates.tables.names import fold_name, folding_notes
from gandl_shared.plates.tables.quantities.numbers import is_missing
from gandl_shared.plates.tables.table import Row, Table
from gandl_shared.plates.well import UNSPECIFIED, Well
from gandl_shared.plates.well_names import PositionError, check_position, standard_well_name, well_name
from gandl_shared.schemas.vocabulary import Role

_NAMES = ("plate", "compound", "cell_line")


def read_rows(table: Table, *, doses: bool = True) -> MapReading:
    """Read the rows of a plate map. Without `doses`, treatments may have none if no column names any.

    Raises InvalidPlateMap where a column that every map needs is missing.
    """
    columns = choose_columns(table)
    missing = columns.missing
    raise_if(
        [*missing, *table.problems] if missing else (), InvalidPlateMap, f"plate map {table.source} cannot be used"
    )
    reader = _RowReader(table, columns, doses=doses)
    wells = tuple(well for well in map(reader.read, table.rows) if well is not None)
    return MapReading(
        wells=wells,
        problems=(*columns.problems, *reader.all_problems(wells)),
        notes=(*columns.notes, *reader.notes()),
    )


Report = Callable[[str, str], None]  # takes our name of a column and a problem of its cell


class _RowReader:
    """Turn rows into wells. Equal cells are read once, because a large map repeats the same texts."""

    def __init__(self, table: Table, columns: MapColumns, *, doses: bool) -> None:
        self._table, self._columns = table, columns
        self._problems: list[Problem] = []
        self._doses = DoseCells(table, columns, required=doses)
        self._without_role = self._treated_conditions = 0
        self._without_compound_column = 0
        self._names: dict[str, dict[str, tuple[str, str | None]]] = {name: {} for name in _NAMES}
        self._wells: dict[tuple[str, ...], str | ValueError] = {}
        self._roles: dict[tuple[str, ...], Role | ValueError | None] = {}
        self._spellings: dict[str, list[tuple[int, str]]] = {name: [] for name in _NAMES}

    def read(self, row: Row) -> Well | None:
        """Return the well of a row, or None after its problems were collected."""
        before = len(self._problems)

        def report(column: str, detail: str) -> None:
            name = self._columns.header_of(column, self._table)
            self._problems.append(Problem(detail, file=self._table.source, row=row.number, field=name))

        plate = self._name("plate", row, report)
        if not plate:
            report("plate", "no plate name")
        well = self._well(row, report)
        compound = self._name("compound", row, report)
        cell_line = self._name("cell_line", row, report)
        dose_text = self._doses.text(row)
        role = self._role(row, compound, dose_text, report)
        if role is Role.TREATMENT and not compound:
            self._report_compound(report)
        dose = None
        try:
            dose = self._doses.read(row, dose_text, role)
        except ValueError as error:
            report(DOSE, str(error))
        if len(self._problems) > before or role is None:
            return None
        return Well(
            plate=plate,
            well=well,
            role=role,
            compound=compound or None,
            concentration_um=dose,
            cell_line=cell_line or UNSPECIFIED,
            table_row=row.number,
            metadata={name: row.cells[i] for i, name in self._columns.further},
        )

    def _name(self, column: str, row: Row, report: Report) -> str:
        """Return the folded name in a cell; empty for a cell without one."""
        index = self._columns.single.get(column)
        if index is None:
            return ""
        text = row.cells[index]
        cache = self._names[column]
        if text not in cache:
            name = "" if is_missing(text) else fold_name(text)
            cache[text] = name, damage(name) if name else None
            if name:
                self._spellings[column].append((row.number, text))
        name, reason = cache[text]
        if reason:
            report(column, reason)
        return name

    def _well(self, row: Row, report: Report) -> str:
        texts = tuple(row.cells[i] for i in self._columns.well)
        if texts not in self._wells:
            try:
                self._wells[texts] = well_of(texts)
            except ValueError as error:
                self._wells[texts] = error
        well = self._wells[texts]
        if isinstance(well, ValueError):
            report("well", str(well))
            return ""
        return well

    def _role(self, row: Row, compound: str, dose: str, report: Report) -> Role | None:
        texts = tuple(row.cells[i] for i in self._columns.roles)
        if texts not in self._roles:
            try:
                self._roles[texts] = role_of(texts)
            except ValueError as error:
                self._roles[texts] = error
        role = self._roles[texts]
        if isinstance(role, ValueError):
            report("role", str(role))
            return None
        if role is None:
            return self._without_word(compound, dose, report)
        if role is Role.NEGATIVE and compound and dose and self._columns.roles_are_conditions:
            self._treated_conditions += 1
            return Role.TREATMENT
        return role

    def _without_word(self, compound: str, dose: str, report: Report) -> Role | None:
        """Return the role of a well whose columns of roles are blank: a treatment, or empty if nothing is in it."""
        if compound and dose:
            self._without_role += 1
            return Role.TREATMENT
        if not compound and not dose:
            return Role.EMPTY
        content = f"compound '{compound}' but no dose" if compound else f"the dose '{dose}' but no compound"
        report("role", f"the well has {content}, and no role; write treatment, one of the controls or empty")
        return None

    def _report_compound(self, report: Report) -> None:
        # A column that is missing is reported once and not in each row.
        if "compound" in self._columns.single:
            report("compound", "a treatment needs a compound name")
        else:
            self._without_compound_column += 1

    def all_problems(self, wells: Sequence[Well]) -> list[Problem]:
        """Return the problems of all rows, and those of whole columns once."""
        problems = [*self._doses.problems(), *self._problems, *self._rows_without_cell_line(wells)]
        if not self._without_compound_column:
            return problems
        detail = f"no column names the compound of the treatments; the header is: {', '.join(self._table.header)}"
        row = self._table.header_row
        return [Problem(detail, file=self._table.source, row=row, field="compound"), *problems]

    def _rows_without_cell_line(self, wells: Sequence[Well]) -> list[Problem]:
        """Return a problem per used well without a cell line where others have one: those would be another line."""
        used = [well for well in wells if well.role is not Role.EMPTY]
        without = [well.table_row for well in used if well.cell_line == UNSPECIFIED]
        if len(without) == len(used):
            return []
        name = self._columns.header_of("cell_line", self._table)
        detail = "the cell line is empty, but other rows name one; name it in every row"
        return [Problem(self._short(row, detail), file=self._table.source, row=row, field=name) for row in without]

    def _short(self, number: int, detail: str) -> str:
        cells = self._table.short_rows.get(number)
        return detail if cells is None else f"{detail} (this row ends after {cells} cells)"

    def notes(self) -> list[str]:
        """Return what was assumed."""
        notes = [note for column, texts in self._spellings.items() for note in folding_notes(texts, column)]
        if self._without_role:
            count = f"{self._without_role} well{'s' if self._without_role > 1 else ''}"
            notes.append(f"{count} with a compound and a dose, but without a role, were read as treatments")
        if self._treated_conditions:
            header = self._columns.header_of("role", self._table)
            notes.append(
                f"Wells with a compound and a dose were read as treatments ({self._treated_conditions}), because the "
                f"column '{header}' says how the cells are, and not what the well is for"
            )
        return [*notes, *self._doses.notes()]


def well_of(texts: Sequence[str]) -> str:
    """Return the standard name of a well from its cell, or from the cells of its row and its column.

    Raises ValueError with a sentence.
    """
    text = "".join(texts)
    if len(texts) > 1 and all(part.isascii() and part.isdigit() for part in texts):
        row, column = map(int, texts)
        if not row or not column:
            raise ValueError(f"row {row} and column {column} are counted from 0; count from 1, or write A01")
        return well_name(*check_position(row, column))
    try:
        return standard_well_name(text)
    except PositionError:
        raise
    except ValueError:
        # Plates are counted by rows or by columns, and nothing in the table says which.
        number = f"'{text}' is a number, which may count by rows or by columns; write A01 or P24"
        raise ValueError(
            number if text.isdigit() else damage(text) or f"'{text}' is no well; wells look like A01 or P24"
        ) from None
