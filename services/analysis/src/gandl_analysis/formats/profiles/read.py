"""A table of vectors from any program, from its file to the input of an analysis."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gandl_shared.errors import InvalidTable, Problem
from gandl_shared.models import FeatureRule, TableCard
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ParkedSite
from gandl_shared.schemas.vocabulary import TableLevel
from gandl_shared.store import Profiles
from numpy.typing import NDArray

from gandl_analysis.formats.profiles.columns import ProfileColumns, choose_columns
from gandl_analysis.formats.profiles.features import (
    JudgedFeatures,
    features_csv,
    judge_features,
    measured_rows,
    space_digest,
    usable_vectors,
)
from gandl_analysis.formats.profiles.identities import check_distinct, joined_codes
from gandl_analysis.formats.profiles.sources.detect import open_source
from gandl_analysis.formats.profiles.sources.source import ProfileSource, TextColumn
from gandl_analysis.formats.profiles.units import Units, unit_vectors
from gandl_analysis.formats.profiles.wells import MapChoice, RowWells, read_wells, used_wells
from gandl_analysis.pipeline.axes.checks import check_controls
from gandl_analysis.pipeline.inputs import NO_LIMITS, EarlierAxes, ScreenInput

Vectors = NDArray[np.float32]
Text = NDArray[np.object_]


@dataclass(frozen=True, kw_only=True)
class TableOptions:
    """What the user says about a table of vectors.

    `plate_map` and its `sheet` say what the wells hold, where the table does not. `positive` names the positive control
    of a published data set that leaves the choice. `level` says what a row is, where columns do not say it.
    """

    plate_map: Path | None = None
    sheet: str | None = None
    positive: tuple[str, ...] = ()
    level: TableLevel | None = None


@dataclass(frozen=True, kw_only=True)
class ProfileTable:
    """The input of an analysis from a table, and the content of `features.csv` beside its results."""

    screen: ScreenInput
    features: str


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """The described rows of a table, its level, and the units that become vectors, with their names of sites."""

    wells: RowWells
    level: TableLevel
    units: Units
    sites: Text

    def well_of(self, unit: int) -> Well:
        """Return the well of a unit."""
        return self.wells.wells[int(self.wells.well[self.units.first[unit]])]


def read_profile_table(
    path: Path, parameters: AnalysisParameters, options: TableOptions, earlier: EarlierAxes | None = None
) -> ProfileTable:
    """Read a table of vectors: Parquet, CSV, CSV.GZ or `.h5ad`, with one row per well, field of view or cell.

    Raises NotFound, TooLarge, InvalidPlateMap, and InvalidTable naming file, row and column.
    """
    source = open_source(path)
    columns = choose_columns(source)
    rows = _described_rows(source, columns, options, controls=earlier is None)
    if earlier is None:
        check_controls([w for w in rows.wells.wells if w.role is not Role.EMPTY])
    values = unit_vectors(
        source.blocks(columns.features),
        rows.units,
        len(columns.features),
        file=source.file,
        averaged=rows.level is TableLevel.CELL,
    )
    measured = measured_rows(values)
    parked = _parked(rows, values, measured)
    if not measured.any():
        raise InvalidTable(f"table {source.file} has no row with at least half of its features")
    values = values if measured.all() else values[measured]
    judgement = judge_features(values, columns.features)
    _check_usable(judgement, source, columns)
    vectors, filled = usable_vectors(values, judgement, scaled=columns.scaled)
    card = TableCard(
        name=source.file,
        sha256=_sha256(path),
        form=columns.form,
        level=rows.level,
        rows=len(rows.units.of_row),
        features=vectors.shape[1],
        left_out=_left_out(judgement, columns),
        filled=filled,
        scaled=columns.scaled,
    )
    screen = ScreenInput(
        name=path.name.split(".")[0],
        profiles=_profiles(rows, measured, vectors),
        wells=rows.wells.wells,
        parked=parked,
        parameters=parameters,
        card=card,
        model_id=space_digest(judgement, scaled=columns.scaled),
        limits={},
        limits_from=NO_LIMITS,
        earlier=earlier,
        notes=_notes(source, columns, rows, card),
    )
    return ProfileTable(screen=screen, features=features_csv(judgement, columns.blocklisted, scaled=columns.scaled))


def _described_rows(source: ProfileSource, columns: ProfileColumns, options: TableOptions, *, controls: bool) -> _Rows:
    texts = source.texts(columns.descriptions)
    choice = MapChoice(controls=controls, sheet=options.sheet, positive=options.positive)
    wells = read_wells(texts, options.plate_map, choice)
    # A map that names fields of view says more about a row than the table alone.
    level = options.level or wells.identity.level
    check_distinct(wells.rows, wells.identity, level)
    row_sites = _row_sites(wells, level)
    positions = TextColumn(wells.well, tuple(map(str, range(len(wells.wells)))))
    of_row, first = joined_codes([positions, row_sites])
    used = used_wells(wells.wells)[wells.well[first]]
    number = np.where(used, np.cumsum(used) - 1, -1)
    first = first[used]
    units = Units(of_row=number[of_row], first=first)
    return _Rows(wells=wells, level=level, units=units, sites=np.array(row_sites.take(first).texts(), object))


def _row_sites(wells: RowWells, level: TableLevel) -> TextColumn:
    """Return the name of the field of view of each row; it is 1 where a row is a well, or nothing names fields."""
    rows, names = wells.rows, wells.identity.of_site
    if level is TableLevel.WELL or not names:
        return TextColumn(np.zeros(len(rows), np.intp), ("1",))
    if level is TableLevel.SITE and wells.identity.site is not None:
        return rows.columns[wells.identity.site]
    columns = [rows.columns[name] for name in names]
    code, first = joined_codes(columns)
    return TextColumn(code, tuple("-".join(column.at(row) for column in columns) for row in first.tolist()))


def _parked(rows: _Rows, values: Vectors, measured: NDArray[np.bool_]) -> tuple[ParkedSite, ...]:
    """Return the rows without vectors as sites that could not be read, which the report lists with their reason."""
    parked = []
    for unit in np.flatnonzero(~measured).tolist():
        well = rows.well_of(unit)
        missing = int(np.isnan(values[unit]).sum())
        error = f"{missing} of {values.shape[1]} features have no number"
        parked.append(ParkedSite(plate=well.plate, well=well.well, site=str(rows.sites[unit]), error=error))
    return tuple(parked)


def _profiles(rows: _Rows, measured: NDArray[np.bool_], vectors: Vectors) -> Profiles:
    units = np.flatnonzero(measured).tolist()
    wells = [rows.well_of(unit) for unit in units]
    zeros = np.zeros(len(units), np.int32)
    return Profiles(
        plates=np.array([well.plate for well in wells], object),
        wells=np.array([well.well for well in wells], object),
        sites=rows.sites[units],
        tiles=zeros,
        y=zeros,
        x=zeros,
        # The identity of a vector is its content, by which an axis recognises wells that it was fitted on.
        keys=np.array([hashlib.sha256(vector.tobytes()).hexdigest() for vector in vectors], object),
        vectors=vectors,
    )


def _check_usable(judgement: JudgedFeatures, source: ProfileSource, columns: ProfileColumns) -> None:
    if judgement.in_use.any():
        return
    detail = f"no feature can be used: {_counted(_left_out(judgement, columns))}"
    raise InvalidTable(f"table {source.file}: {detail}", problems=[Problem(detail, file=source.file)])


def _left_out(judgement: JudgedFeatures, columns: ProfileColumns) -> dict[FeatureRule, int]:
    blocklisted = {FeatureRule.BLOCKLISTED: len(columns.blocklisted)} if columns.blocklisted else {}
    return {**blocklisted, **judgement.counts()}


def _counted(left_out: Mapping[FeatureRule, int]) -> str:
    return ", ".join(f"{n} {rule}" for rule, n in left_out.items())


def _notes(source: ProfileSource, columns: ProfileColumns, rows: _Rows, card: TableCard) -> tuple[str, ...]:
    total = card.features + sum(card.left_out.values())
    left_out = f" ({_counted(card.left_out)}; features.csv lists them)" if card.left_out else ""
    notes = [
        f"{card.rows} rows of {card.level}s were read from {card.name} ({card.form})",
        f"{card.features} of {total} features are used{left_out}",
        "Each feature was divided by its robust spread"
        if card.scaled
        else "Features were not scaled, because numbered features share one unit",
    ]
    if card.level is TableLevel.CELL:
        what = "fields of view" if rows.wells.identity.of_site else "wells"
        notes.append(f"The cells were averaged to {len(rows.units.first)} {what}")
    if card.filled:
        notes.append(f"{card.filled} missing numbers were replaced by the median of their feature")
    missing = _wells_without_rows(rows)
    if missing:
        notes.append(f"{missing} wells of {rows.wells.source} have no row in {card.name}")
    return (*source.notes, *columns.notes, *rows.wells.notes, *notes)


def _wells_without_rows(rows: _Rows) -> int:
    wells = rows.wells.wells
    return int(used_wells(wells).sum()) - len(set(rows.wells.well[rows.units.first].tolist()))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
