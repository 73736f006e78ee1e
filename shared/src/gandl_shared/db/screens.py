"""Writing a screen's rows and reading them back. Functions of an open connection; `Database` holds the transactions."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Row, case, delete, func, insert, select, update

from gandl_shared.db.engine import now
from gandl_shared.db.records import ModelUse, NewScreen, ScreenRecord
from gandl_shared.db.tables import Analysis, Batch, Plate, Screen, Site, Well
from gandl_shared.errors import Conflict, NotFound
from gandl_shared.plates import PlateMap, Role
from gandl_shared.plates import Well as MapWell
from gandl_shared.schemas.screen import ParkedSite, Progress, ScreenLimits, ScreenRequest, ScreenState, ScreenStatus

CHUNK = 5000
QUEUED, LEASED, DONE, PARKED, CANCELLED = "queued", "leased", "done", "parked", "cancelled"
OPEN = (QUEUED, LEASED)
MOST_PARKED = 1000
"""A status lists at most so many parked sites; `progress.parked` counts all."""

Values = dict[str, Any]  # one row of an insert


def create(connection: Connection, new: NewScreen) -> str:
    """Write all rows of a screen; its id."""
    screen_id = secrets.token_hex(8)
    connection.execute(insert(Screen).values(**_screen_values(new, screen_id, now(connection))))
    plates = {name: n for n, name in enumerate(new.plate_map.plates)}
    limits = {name: found.model_dump(mode="json") for name, found in new.limits.items()}
    _insert(
        connection,
        Plate,
        [{"screen_id": screen_id, "number": n, "name": p, "limits": limits.get(p, {})} for p, n in plates.items()],
    )
    _insert(connection, Well, [_well_values(screen_id, n, w, plates) for n, w in enumerate(new.plate_map.wells)])
    batches = -(-len(new.sites) // new.sites_per_batch)
    _insert(connection, Batch, [{"screen_id": screen_id, "number": n, "state": QUEUED} for n in range(batches)])
    _insert(connection, Site, list(_site_values(screen_id, new)))
    return screen_id


def record(connection: Connection, screen_id: str) -> ScreenRecord:
    """What was submitted. Raises NotFound."""
    row = connection.execute(select(Screen.__table__).where(Screen.id == screen_id)).one_or_none()
    if row is None:
        raise NotFound(f"there is no screen '{screen_id}'")
    return ScreenRecord(
        id=row.id,
        name=row.name,
        state=ScreenState(row.state),
        images=Path(row.images),
        model=ModelUse(row.model, row.model_id, row.size, row.downscale),
        request=ScreenRequest.model_validate(row.request),
        limits=limits_of(connection, screen_id),
        error=row.error,
        analysis_version=row.analysis_version,
    )


def limits_of(connection: Connection, screen_id: str) -> dict[str, ScreenLimits]:
    """Intensity limits by plate name; plates without images have none."""
    rows = connection.execute(
        select(Plate.name, Plate.limits).where(Plate.screen_id == screen_id).order_by(Plate.number)
    )
    return {name: ScreenLimits.model_validate(limits) for name, limits in rows if limits}


def lock(connection: Connection, screen_id: str) -> ScreenState:
    """Hold the screen's row until the transaction ends; the stored state. Raises NotFound.

    Whatever closes batches or changes a screen's state takes this lock first, and only then rows of batches: so two
    finishers see each other, and nothing waits in a circle.
    """
    state = connection.execute(
        select(Screen.state).where(Screen.id == screen_id).with_for_update()
    ).scalar_one_or_none()
    if state is None:
        raise NotFound(f"there is no screen '{screen_id}'")
    return ScreenState(state)


def plate_map(connection: Connection, screen_id: str) -> PlateMap:
    """The plate map as it was given, in its order."""
    rows = connection.execute(
        select(Plate.name.label("plate_name"), Well.__table__)
        .join(Plate, (Plate.screen_id == Well.screen_id) & (Plate.number == Well.plate))
        .where(Well.screen_id == screen_id)
        .order_by(Well.number)
    )
    return PlateMap(tuple(_map_well(row) for row in rows), f"plate map of screen {screen_id}")


def status(connection: Connection, screen_id: str) -> ScreenStatus:
    """State and progress. Raises NotFound."""
    found = _statuses(connection, screen_id)
    if not found:
        raise NotFound(f"there is no screen '{screen_id}'")
    return found[0].model_copy(update={"parked": parked(connection, screen_id)})


def statuses(connection: Connection) -> tuple[ScreenStatus, ...]:
    """All screens, newest first, without the lists of their parked sites."""
    return tuple(_statuses(connection, None))


def parked(connection: Connection, screen_id: str) -> tuple[ParkedSite, ...]:
    """The sites without vectors, in plate map order, at most MOST_PARKED."""
    rows = connection.execute(
        select(Plate.name, Well.name, Site.name, Site.error)
        .join(Well, (Well.screen_id == Site.screen_id) & (Well.number == Site.well))
        .join(Plate, (Plate.screen_id == Well.screen_id) & (Plate.number == Well.plate))
        .where(Site.screen_id == screen_id, Site.state == PARKED)
        .order_by(Site.number)
        .limit(MOST_PARKED)
    )
    return tuple(ParkedSite(plate=p, well=w, site=s, error=e or "") for p, w, s, e in rows)


def cancel(connection: Connection, screen_id: str) -> None:
    """Stop a screen that is running; what is leased loses its lease. Raises NotFound, Conflict."""
    state = lock(connection, screen_id)
    if state not in (ScreenState.QUEUED, ScreenState.ANALYSING):
        raise Conflict(f"screen '{screen_id}' is {state.value}; only a running screen can be cancelled")
    for table in (Batch, Analysis):
        connection.execute(
            update(table)
            .where(table.screen_id == screen_id, table.state.in_(OPEN))
            .values(state=CANCELLED, token=None, leased_until=None)
        )
    _set_state(connection, screen_id, ScreenState.CANCELLED, finished_at=now(connection))


def remove(connection: Connection, screen_id: str) -> None:
    """Delete all rows of a screen. Raises NotFound."""
    lock(connection, screen_id)
    connection.execute(delete(Screen).where(Screen.id == screen_id))


def reopen(connection: Connection, screen_id: str) -> int:
    """Queue the parked and cancelled parts of an ended screen again; how many sites. Raises NotFound, Conflict."""
    state = lock(connection, screen_id)
    if state in (ScreenState.QUEUED, ScreenState.ANALYSING):
        raise Conflict(f"screen '{screen_id}' is still running; cancel it first or wait")
    connection.execute(
        update(Site).where(Site.screen_id == screen_id, Site.state == PARKED).values(state=QUEUED, error=None)
    )
    waiting = select(Site.batch).where(Site.screen_id == screen_id, Site.state == QUEUED)
    sites = connection.execute(select(func.count()).select_from(waiting.subquery())).scalar_one()
    if sites:
        connection.execute(
            update(Batch)
            .where(Batch.screen_id == screen_id, Batch.number.in_(waiting))
            .values(state=QUEUED, attempts=0, not_before=0.0, error=None, token=None, leased_until=None)
        )
        _set_state(connection, screen_id, ScreenState.QUEUED)
    return sites


def _set_state(
    connection: Connection,
    screen_id: str,
    state: ScreenState,
    *,
    error: str | None = None,
    finished_at: float | None = None,
) -> None:
    connection.execute(
        update(Screen).where(Screen.id == screen_id).values(state=state.value, error=error, finished_at=finished_at)
    )


def fail(connection: Connection, screen_id: str, error: str) -> None:
    """The screen has ended without a result."""
    _set_state(connection, screen_id, ScreenState.FAILED, error=error, finished_at=now(connection))


def analysing(connection: Connection, screen_id: str) -> None:
    """An analysis of the screen is queued."""
    _set_state(connection, screen_id, ScreenState.ANALYSING)


def done(connection: Connection, screen_id: str, version: int | None) -> None:
    """The screen has a result; `version` is the newest, None leaves it."""
    _set_state(connection, screen_id, ScreenState.DONE, finished_at=now(connection))
    if version is not None:
        connection.execute(update(Screen).where(Screen.id == screen_id).values(analysis_version=version))


def iso(seconds: float) -> str:
    """ISO 8601 in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _insert(connection: Connection, table: type[Plate | Well | Batch | Site], rows: Sequence[Values]) -> None:
    for start in range(0, len(rows), CHUNK):
        connection.execute(insert(table.__table__), rows[start : start + CHUNK])  # type: ignore[arg-type]  # a Table


def _screen_values(new: NewScreen, screen_id: str, at: float) -> Values:
    return {
        "id": screen_id,
        "name": new.name,
        "state": ScreenState.QUEUED.value,
        "images": str(new.images),
        "model": new.model.name,
        "model_id": new.model.id,
        "size": new.model.size,
        "downscale": new.model.downscale,
        # The plate map is in rows; its text, which may be large, is not kept a second time.
        "request": new.request.model_dump(mode="json", exclude={"plate_map_csv"}) | _kept_source(new.request),
        "created_at": at,
    }


def _kept_source(request: ScreenRequest) -> Values:
    return {"plate_map": request.plate_map or "(sent as text)"}


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
        "row": well.row,
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
        row=row._mapping["row"],
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
            "files": list(site.names),
            "state": QUEUED,
        }


def _statuses(connection: Connection, screen_id: str | None) -> list[ScreenStatus]:
    def of(column: Any) -> Any:  # any mapped column: the filter has its own type a table
        return column == screen_id if screen_id is not None else column.is_not(None)

    started = case((Batch.attempts > 0, 1), else_=0)
    plates = dict(_pairs(connection, select(Plate.screen_id, func.count()).where(of(Plate.screen_id)), Plate.screen_id))
    used = select(Well.screen_id, func.count()).where(of(Well.screen_id), Well.role != Role.EMPTY.value)
    wells = dict(_pairs(connection, used, Well.screen_id))
    begun = dict(
        _pairs(connection, select(Batch.screen_id, func.sum(started)).where(of(Batch.screen_id)), Batch.screen_id)
    )
    sites: dict[str, Counter[str]] = {}
    counted = select(Site.screen_id, Site.state, func.count()).where(of(Site.screen_id))
    for owner, state, count in connection.execute(counted.group_by(Site.screen_id, Site.state)):
        sites.setdefault(owner, Counter())[state] = count
    rows = connection.execute(
        select(Screen.__table__).where(of(Screen.id)).order_by(Screen.created_at.desc(), Screen.id)
    )
    return [
        _status(row, plates.get(row.id, 0), wells.get(row.id, 0), begun.get(row.id, 0), sites.get(row.id, Counter()))
        for row in rows
    ]


def _pairs(connection: Connection, query: Any, owner: Any) -> list[tuple[str, int]]:  # a select of id and a number
    return [(screen_id, int(count)) for screen_id, count in connection.execute(query.group_by(owner))]


def _status(row: Row[Any], plates: int, wells: int, begun: int, sites: Counter[str]) -> ScreenStatus:
    state = ScreenState(row.state)
    if state is ScreenState.QUEUED and begun:
        state = ScreenState.EMBEDDING
    return ScreenStatus(
        id=row.id,
        name=row.name,
        state=state,
        model=row.model,
        plates=plates,
        wells=wells,
        progress=Progress(sites=sites.total(), done=sites[DONE], parked=sites[PARKED]),
        error=row.error,
        analysis_version=row.analysis_version,
        created_at=iso(row.created_at),
        finished_at=None if row.finished_at is None else iso(row.finished_at),
    )
