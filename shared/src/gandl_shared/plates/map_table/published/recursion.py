"""`metadata.csv` of RxRx19a and RxRx1: one row per field of view, whose `site_id` names experiment, plate, well, site.

RxRx19a (https://www.rxrx.ai/rxrx19a): cells without virus (mock) are the state that a compound should bring back, and
cells with active virus and no compound are the negative control. Cells with inactivated virus are left out unless the
reader takes them as a positive control. RxRx1 (https://www.rxrx.ai/rxrx1) has siRNAs without doses, and says itself
which wells are controls.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from gandl_shared.errors import BadInput, Problem
from gandl_shared.plates.columns import column_key
from gandl_shared.plates.map_table.published.positive import EVERY_CONTROL
from gandl_shared.plates.map_table.published.site_table import SiteTable, WellRows, first_of_kind
from gandl_shared.plates.map_table.reading import MapReading
from gandl_shared.plates.map_table.roles import role_key
from gandl_shared.plates.tables.names import fold_name
from gandl_shared.plates.tables.table import Row, Table
from gandl_shared.plates.well import Well
from gandl_shared.schemas.vocabulary import Role

_REQUIRED = ("site_id", "experiment", "plate", "well", "site", "cell_type")
_COMPOUND_COLUMNS = ("disease_condition", "treatment", "treatment_conc")
_GENE_COLUMNS = ("well_type", "sirna")
_FURTHER = ("experiment", "disease_condition", "smiles", "dataset", "well_type", "sirna_id")

_CELL_TYPES: Mapping[str, tuple[str, ...]] = {
    "RxRx19a": ("HRCE", "VERO"),
    "RxRx1": ("HEPG2", "HUVEC", "RPE", "U2OS"),
}
"""The cell types by which experiments are named, such as HRCE-1 and HEPG2-07."""

MOCK, IRRADIATED, VIRAL = "mock", "irradiated", "viral"
_CONDITIONS: Mapping[str, str] = {
    "mock": MOCK,
    "irradiated": IRRADIATED,
    "uv_inactivated_sars_cov_2": IRRADIATED,
    "viral": VIRAL,
    "active_sars_cov_2": VIRAL,
}
"""The conditions by their words: those of the description and those of the published file."""

_GENE_ROLES: Mapping[str, Role] = {
    "negative_control": Role.NEGATIVE,
    "positive_control": Role.POSITIVE,
    "treatment": Role.TREATMENT,
}


def rxrx_plate(experiment: str, plate: str) -> str:
    """Return the name of a plate as the `site_id` has it: plate 1 of experiment HRCE-1 is `HRCE-1_1`.

    The number alone is not a name, because every experiment has a plate 1.
    """
    return f"{experiment}_{plate}"


def experiment_of(site_id: str) -> str:
    """Return the experiment in a `site_id`: that of HRCE-1_1_AA02_2 is HRCE-1."""
    return site_id.rsplit("_", 3)[0]


def data_set_of(site_id: str) -> str | None:
    """Return RxRx19a or RxRx1 by the cell type in a `site_id`; None for a cell type of neither."""
    cell_type = experiment_of(site_id).rpartition("-")[0]
    return next((name for name, cell_types in _CELL_TYPES.items() if cell_type in cell_types), None)


def is_recursion(header: Sequence[str]) -> bool:
    """Return whether a header is that of `metadata.csv` of RxRx19a or RxRx1."""
    keys = {column_key(name) for name in header}
    kinds = ("disease_condition" in keys, "well_type" in keys and "sirna" in keys)
    return any(kinds) and ("site_id" in keys or {"experiment", "well_id"} <= keys)


def is_rxrx19a(header: Sequence[str]) -> bool:
    """Return whether a header has every column of `metadata.csv` of RxRx19a that is read."""
    return {*_REQUIRED, *_COMPOUND_COLUMNS} <= {column_key(name) for name in header}


def is_rxrx1(header: Sequence[str]) -> bool:
    """Return whether a header has every column of `metadata.csv` of RxRx1 that is read."""
    return {*_REQUIRED, *_GENE_COLUMNS} <= {column_key(name) for name in header}


def read_recursion(table: Table, positive: Sequence[str]) -> MapReading:
    """Return the wells of `metadata.csv`. `positive` are conditions of RxRx19a; without them it is `mock`.

    Raises InvalidPlateMap where a column is missing, and BadInput for a condition that does not exist.
    """
    keys = {column_key(name) for name in table.header}
    is_screen = "disease_condition" in keys
    own = _COMPOUND_COLUMNS if is_screen else _GENE_COLUMNS
    sites = SiteTable(table, (*_REQUIRED, *own), "RxRx19a" if is_screen else "RxRx1")
    problems = _id_problems(sites)
    wells = sites.wells(_plates(sites), "well", problems)
    content = (*own, "cell_type", "smiles", "dataset")
    problems += first_of_kind(sites.disagreements(wells, content), "rows that disagree with another row of their well")
    reader: _Screen | _Genes = _Screen(sites, _conditions(positive)) if is_screen else _Genes(sites)
    read = [well for each in wells if (well := _well(sites, each, reader, problems)) is not None]
    return MapReading(wells=tuple(read), problems=tuple(problems), notes=tuple(reader.notes()))


def _plates(sites: SiteTable) -> list[str]:
    pairs = zip(sites.column("experiment"), sites.column("plate"), strict=True)
    return [rxrx_plate(experiment, _number(plate)) for experiment, plate in pairs]


def _number(text: str) -> str:
    # A data frame with an empty cell elsewhere in the column writes plate 1 as 1.0.
    return text[:-2] if text.endswith(".0") and text[:-2].isdigit() else text


def _id_problems(sites: SiteTable) -> list[Problem]:
    """Return problems of ids that stand twice, or that name another field of view than the other columns."""
    rows: dict[str, int] = {}
    doubled: list[Problem] = []
    other: list[Problem] = []
    expected_ids = zip(_plates(sites), sites.column("well"), map(_number, sites.column("site")), strict=True)
    for row, site_id, address in zip(sites.table.rows, sites.column("site_id"), expected_ids, strict=True):
        first = rows.setdefault(site_id, row.number)
        if first != row.number:
            doubled.append(
                sites.problem(row.number, "site_id", f"site_id '{site_id}' is in row {first} too; keep one of them")
            )
        expected = "_".join(address)
        if site_id != expected:
            detail = f"site_id '{site_id}' is not that of the other columns, '{expected}'; correct one of them"
            other.append(sites.problem(row.number, "site_id", detail))
    return [
        *first_of_kind(doubled, "rows whose site_id stands twice"),
        *first_of_kind(other, "rows whose site_id is not that of the other columns"),
    ]


def _conditions(words: Sequence[str]) -> frozenset[str]:
    if tuple(words) == EVERY_CONTROL:
        return frozenset({MOCK, IRRADIATED})
    conditions = {_CONDITIONS.get(role_key(word)) for word in words} if words else {MOCK}
    if not conditions <= {MOCK, IRRADIATED}:
        raise BadInput(f"--positive-control {','.join(words)} is no control of RxRx19a; give mock, irradiated or both")
    return frozenset(condition for condition in conditions if condition)


@dataclass(frozen=True, kw_only=True)
class _Content:
    """What a well holds."""

    role: Role
    compound: str | None = None
    concentration_um: float | None = None


Report = Callable[[str, str], None]  # takes a column and what is wrong with its cell


def _well(sites: SiteTable, rows: WellRows, reader: _Screen | _Genes, problems: list[Problem]) -> Well | None:
    first = rows.rows[0]

    def report(column: str, detail: str) -> None:
        problems.append(sites.problem(first.number, column, detail))

    content = reader.content(first, report)
    cell_line = sites.cell(first, "cell_type")
    if not cell_line:
        report("cell_type", "the cell type is empty; fill it in")
    if content is None or not cell_line:
        return None
    return Well(
        plate=rows.plate,
        well=rows.well,
        role=content.role,
        compound=content.compound,
        concentration_um=content.concentration_um,
        cell_line=fold_name(cell_line),
        table_row=rows.number,
        metadata=sites.further(first, _FURTHER),
    )


@dataclass
class _Screen:
    """The wells of RxRx19a: a condition, and a compound with a concentration in µM where the cells have virus."""

    sites: SiteTable
    positive: frozenset[str]
    left_out: Counter[str] = field(default_factory=Counter)

    def content(self, row: Row, report: Report) -> _Content | None:
        """Return what the well of a row holds, or None after reporting what is wrong."""
        text = self.sites.cell(row, "disease_condition")
        condition = _CONDITIONS.get(role_key(text))
        compound = fold_name(self.sites.cell(row, "treatment"))
        dose = self._dose(row, report)
        if text and condition is None:
            words = "Mock, UV Inactivated SARS-CoV-2 or Active SARS-CoV-2"
            report("disease_condition", f"'{text}' is no condition of RxRx19a; it is {words}")
        if math.isnan(dose) or (text and condition is None):
            return None
        if not compound and dose:
            report("treatment", f"the well has {dose:g} µM of no compound; name it or remove the dose")
            return None
        if condition != VIRAL:
            return self._without_virus(condition, compound, dose)
        if compound and not dose:
            report("treatment_conc", f"'{compound}' has no concentration above 0; give it in µM")
            return None
        role = Role.TREATMENT if compound else Role.NEGATIVE
        return _Content(role=role, compound=compound or None, concentration_um=dose or None)

    def _dose(self, row: Row, report: Report) -> float:
        """Return the concentration, 0 without one, and NaN after reporting a cell that is none."""
        text = self.sites.cell(row, "treatment_conc")
        try:
            dose = float(text or 0)
        except ValueError:
            dose = math.nan
        if not math.isfinite(dose) or dose < 0:
            report("treatment_conc", f"'{text}' is no concentration in µM")
            return math.nan
        return dose

    def _without_virus(self, condition: str | None, compound: str, dose: float) -> _Content:
        if compound:
            self.left_out["with a compound and without active virus"] += 1
        elif condition is None:
            self.left_out["without a condition"] += 1
        elif condition not in self.positive:
            self.left_out[f"of the condition {condition} (choose with --positive-control mock,irradiated)"] += 1
        else:
            return _Content(role=Role.POSITIVE)
        return _Content(role=Role.EMPTY, compound=compound or None, concentration_um=dose or None)

    def notes(self) -> Iterator[str]:
        """Yield how conditions were read."""
        controls = " and ".join(sorted(self.positive, reverse=True))
        yield (
            f"The conditions of RxRx19a were read as roles: {controls} as positive control, active virus without a "
            "compound as negative control, active virus with a compound as treatment"
        )
        for reason, count in self.left_out.items():
            yield f"{count} well{'s' if count > 1 else ''} {reason} are left out"


@dataclass
class _Genes:
    """The wells of RxRx1: siRNAs, of which no dose is published."""

    sites: SiteTable

    def content(self, row: Row, report: Report) -> _Content | None:
        """Return what the well of a row holds, or None after reporting what is wrong."""
        text = self.sites.cell(row, "well_type")
        role = _GENE_ROLES.get(role_key(text))
        if role is None:
            report("well_type", f"'{text}' is no type of RxRx1; it is {', '.join(_GENE_ROLES)}")
            return None
        name = fold_name(self.sites.cell(row, "sirna"))
        if role is Role.TREATMENT and not name:
            report("sirna", "a treatment needs the name of its siRNA")
            return None
        return _Content(role=role, compound=name if role is not Role.NEGATIVE else None)

    def notes(self) -> Iterator[str]:
        """Yield what follows for the results."""
        yield "RxRx1 publishes no doses of its siRNAs, so its treatments have efficacies and no dose-response curves"
