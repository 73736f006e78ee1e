"""The rows of one screen: written from a `NewScreen`, and read back as values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, ScalarSelect, and_, bindparam, func, insert, select, update

from gandl_shared.db.records import ModelUse, NewScreen, RequestKey, SiteRecord
from gandl_shared.db.tables import Batch, Plate, Screen, Site, Well
from gandl_shared.files.references import parse_reference
from gandl_shared.files.stamps import Stamp
from gandl_shared.plates import PlateMap, Role
from gandl_shared.plates import Site as MapSite
from gandl_shared.plates import Well as MapWell
from gandl_shared.schemas.limits import IntensityLimits, PlateIntensities
from gandl_shared.schemas.screen import ParkedSite, ScreenState, SiteNote
from gandl_shared.schemas.states import SiteState, WorkState

MAX_PARKED_SITES = 1000
"""A status lists at most so many parked sites; `progress.parked` counts all of them."""

_ROWS_PER_INSERT = 5000

_LIMITS = select(Plate.name, Plate.limits).where(Plate.screen_id == bindparam("screen_id")).order_by(Plate.number)
_LIMITS_OF_PLATES = _LIMITS.where(Plate.name.in_(bindparam("plates", expanding=True)))

Values = dict[str, Any]  # one row of an insert: its columns have different types


def insert_screen(
    connection: Connection, screen_id: str, new: NewScreen, at: float, request: RequestKey | None = None
) -> None:
    """Write all rows of a screen, created at `at` (seconds since 1970) by the named request."""
    named = {} if request is None else {"idempotency_key": request.key, "fingerprint": request.fingerprint}
    connection.execute(insert(Screen).values(**_screen_values(new, screen_id, at), **named))
    plates = {name: number for number, name in enumerate(new.plate_map.plates)}
    n_batches = -(-len(new.sites) // new.sites_per_batch)
    size = new.sites_per_batch
    state = WorkState.DONE if new.keys else WorkState.QUEUED
    counts = [min(size, len(new.sites) - n * size) for n in range(n_batches)]
    batches = [
        {"screen_id": screen_id, "number": n, "state": state, "sites": count, "done": count if new.keys else 0}
        for n, count in enumerate(counts)
    ]
    # In the order of their foreign keys.
    _insert(connection, Plate, [_plate_values(screen_id, number, name, new) for name, number in plates.items()])
    _insert(connection, Well, [_well_values(screen_id, n, w, plates) for n, w in enumerate(new.plate_map.wells)])
    _insert(connection, Batch, batches)
    _insert(connection, Site, list(_site_values(screen_id, new)))


def read_limits(
    connection: Connection, screen_id: str, plates: Sequence[str] | None = None
) -> dict[str, IntensityLimits]:
    """Return the intensity limits of each plate, or of those named; a plate without images has none."""
    query, values = (_LIMITS, {}) if plates is None else (_LIMITS_OF_PLATES, {"plates": plates})
    rows = connection.execute(query, {"screen_id": screen_id, **values})
    return {name: IntensityLimits.model_validate(limits) for name, limits in rows if limits}


def read_intensities(connection: Connection, screen_id: str) -> dict[str, PlateIntensities]:
    """Return how the pixels of each plate lie in its limits; plates of older versions were not measured."""
    query = select(Plate.name, Plate.intensities).where(Plate.screen_id == screen_id).order_by(Plate.number)
    return {name: PlateIntensities.model_validate(stored) for name, stored in connection.execute(query) if stored}


def read_plate_map(connection: Connection, screen_id: str) -> PlateMap:
    """Return the plate map as it was submitted, in its order."""
    query = (
        select(Plate.name.label("plate_name"), Well.__table__)
        .join(Plate, (Plate.screen_id == Well.screen_id) & (Plate.number == Well.plate))
        .where(Well.screen_id == screen_id)
        .order_by(Well.number)
    )
    wells = tuple(_map_well(row) for row in connection.execute(query))
    return PlateMap(wells, f"plate map of screen {screen_id}")


def parked_sites(connection: Connection, screen_id: str) -> tuple[ParkedSite, ...]:
    """Return the first MAX_PARKED_SITES sites without vectors, in plate map order."""
    batches = _first_parked_batches(connection, screen_id)
    query = (
        select(Plate.name, Well.name, Site.name, Site.error)
        .join(Well, (Well.screen_id == Site.screen_id) & (Well.number == Site.well))
        .join(Plate, (Plate.screen_id == Well.screen_id) & (Plate.number == Well.plate))
        .where(Site.screen_id == screen_id, Site.state == SiteState.PARKED, Site.batch.in_(batches))
        .order_by(Site.batch, Site.number)
        .limit(MAX_PARKED_SITES)
    )
    rows = connection.execute(query) if batches else ()
    return tuple(ParkedSite(plate=p, well=w, site=s, error=e or "") for p, w, s, e in rows)


def _first_parked_batches(connection: Connection, screen_id: str) -> list[int]:
    """Return the numbers of the first batches that together have MAX_PARKED_SITES parked sites.

    Without them, a database would walk through all sites of a screen in search of the few that are parked.
    """
    query = select(Batch.number, Batch.parked).where(Batch.screen_id == screen_id, Batch.parked > 0)
    numbers, total = [], 0
    for number, parked in connection.execute(query.order_by(Batch.number)):
        numbers.append(number)
        total += parked
        if total >= MAX_PARKED_SITES:
            break
    return numbers


def read_sites(
    connection: Connection, screen_id: str, images: Path, plate: str, well: str | None
) -> tuple[SiteRecord, ...]:
    """Return the sites of a plate, or of one of its wells, in plate map order; `images` is the folder of the screen."""
    query = (
        select(Well.name, Site.name, Site.batch, Site.files, Site.key, Site.error)
        .join(Well, (Well.screen_id == Site.screen_id) & (Well.number == Site.well))
        .join(Plate, (Plate.screen_id == Well.screen_id) & (Plate.number == Well.plate))
        .where(Site.screen_id == screen_id, Plate.name == plate)
        .order_by(Site.number)
    )
    if well is not None:
        query = query.where(Well.name == well)
    return tuple(
        SiteRecord(site=map_site(images, plate, name, site, files), batch=batch, key=key, error=error)
        for name, site, batch, files, key, error in connection.execute(query)
    )


def map_site(images: Path, plate: str, well: str, site: str, files: list[str] | list[list[str]]) -> MapSite:
    """Return a site from the columns of its row; `images` is the folder of the screen."""
    names, planes = planes_of(files)
    return MapSite(plate=plate, well=well, site=site, root=images, names=names, planes=planes)


def noted_sites(connection: Connection, screen_id: str) -> tuple[SiteNote, ...]:
    """Return the first MAX_PARKED_SITES sites about which a worker noticed something, in plate map order."""
    query = (
        select(Plate.name, Well.name, Site.name, Site.note)
        .join(Well, (Well.screen_id == Site.screen_id) & (Well.number == Site.well))
        .join(Plate, (Plate.screen_id == Well.screen_id) & (Plate.number == Well.plate))
        .where(Site.screen_id == screen_id, Site.note.is_not(None))
        .order_by(Site.number)
        .limit(MAX_PARKED_SITES)
    )
    return tuple(SiteNote(plate=p, well=w, site=s, note=n or "") for p, w, s, n in connection.execute(query))


def model_use(row: Row[Any]) -> ModelUse:
    """Return the model of a row of the table of screens."""
    return ModelUse(name=row.model, id=row.model_id, size=row.size, downscale=row.downscale)


def stored_files(site: MapSite) -> list[str] | list[list[str]]:
    """Return the files of a site as they are stored: one name per channel, or the list of its planes."""
    return [list(names) for names in site.channels()] if site.planes else list(site.names)


def planes_of(files: list[str] | list[list[str]]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the names and the planes of a Site from its stored files."""
    stacks = [names for names in files if isinstance(names, list)]
    if not stacks:
        return tuple(name for name in files if isinstance(name, str)), ()
    return tuple(name for names in stacks for name in names), tuple(len(names) for names in stacks)


def _stored_stamps(site: MapSite, stamps: Mapping[Path, Stamp]) -> list[Stamp | None] | None:
    """Return the stamps of a site's files in the order of its names, None where there are none at all."""
    of_files = [stamps.get(site.root / parse_reference(name).file) for name in site.names]
    return of_files if any(of_files) else None


def count_sites(connection: Connection, screen_id: str, batch: int | None = None) -> None:
    """Write how many sites of a batch, or of each batch of a screen, are done and parked."""
    connection.execute(_COUNT if batch is None else _COUNT_BATCH, {"of_screen": screen_id, "of_batch": batch})


def _sites_in(state: SiteState) -> ScalarSelect[int]:
    own = and_(Site.screen_id == Batch.screen_id, Site.batch == Batch.number, Site.state == state)
    return select(func.count()).select_from(Site).where(own).correlate(Batch).scalar_subquery()


_COUNT = (
    update(Batch)
    .where(Batch.screen_id == bindparam("of_screen"))
    .values(done=_sites_in(SiteState.DONE), parked=_sites_in(SiteState.PARKED))
)
_COUNT_BATCH = _COUNT.where(Batch.number == bindparam("of_batch"))


def iso_time(seconds: float) -> str:
    """Return seconds since 1970 as ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _insert(connection: Connection, table: type[Plate | Well | Batch | Site], rows: Sequence[Values]) -> None:
    for start in range(0, len(rows), _ROWS_PER_INSERT):
        chunk = rows[start : start + _ROWS_PER_INSERT]
        connection.execute(insert(table.__table__), chunk)  # type: ignore[arg-type]  # it is a Table


def _screen_values(new: NewScreen, screen_id: str, at: float) -> Values:
    # The plate map is in the table of wells; its content, which may be large, is not stored a second time.
    request = new.request.model_dump(mode="json", exclude={"plate_map_csv", "plate_map_xlsx"})
    return {
        "id": screen_id,
        "name": new.name,
        "state": ScreenState.QUEUED,
        "images": str(new.images),
        "model": new.model.name,
        "model_id": new.model.id,
        "size": new.model.size,
        "downscale": new.model.downscale,
        "layout": None if new.layout is None else new.layout.model_dump(mode="json"),
        "request": request | {"plate_map": new.request.plate_map or "(sent with the request)"},
        "notes": list(new.notes),
        "wells": len(new.plate_map.used),
        "created_at": at,
    }


def _plate_values(screen_id: str, number: int, name: str, new: NewScreen) -> Values:
    limits = new.limits.get(name)
    stored = {} if limits is None else limits.model_dump(mode="json")
    intensities = new.intensities.get(name)
    measured = None if intensities is None else intensities.model_dump(mode="json")
    return {"screen_id": screen_id, "number": number, "name": name, "limits": stored, "intensities": measured}


def _well_values(screen_id: str, number: int, well: MapWell, plates: Mapping[str, int]) -> Values:
    return {
        "screen_id": screen_id,
        "number": number,
        "plate": plates[well.plate],
        "name": well.well,
        "role": well.role.value,
        "compound": well.compound,
        "concentration_um": well.concentration_um,
        "cell_line": well.cell_line,
        "row": well.table_row,
        "metadata": dict(well.metadata),
    }


def _map_well(row: Row[Any]) -> MapWell:
    return MapWell(
        plate=row.plate_name,
        well=row.name,
        role=Role(row.role),
        compound=row.compound,
        concentration_um=row.concentration_um,
        cell_line=row.cell_line,
        table_row=row._mapping["row"],
        metadata=row._mapping["metadata"],
    )


def _site_values(screen_id: str, new: NewScreen) -> Iterator[Values]:
    numbers = {(w.plate, w.well): n for n, w in enumerate(new.plate_map.wells)}
    for n, site in enumerate(new.sites):
        yield {
            "screen_id": screen_id,
            "number": n,
            "well": numbers[site.plate, site.well],
            "batch": n // new.sites_per_batch,
            "name": site.site,
            "files": stored_files(site),
            "stamps": _stored_stamps(site, new.stamps),
            "state": SiteState.DONE if new.keys else SiteState.QUEUED,
            "key": new.keys.get(site.id),
        }
