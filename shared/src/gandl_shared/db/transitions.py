"""Changes of a screen's state that batches, analyses and requests of users bring about.

All are functions of an open connection, because each is one step of a larger transaction.
"""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, func, insert, select, update

from gandl_shared.db.analyses.trail import read_trail, standing_exclusions
from gandl_shared.db.engine import now
from gandl_shared.db.screen_rows import parked_sites
from gandl_shared.db.tables import Analysis, Batch, Screen, Site
from gandl_shared.errors import NotFound
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenState
from gandl_shared.schemas.states import OPEN_WORK, SiteState, WorkState

# Every batch needs these two, and to build a query costs four times as much as to run it.
_LOCK = select(Screen.state).where(Screen.id == bindparam("screen_id")).with_for_update()
_OPEN_BATCH = select(Batch.id).where(Batch.screen_id == bindparam("screen_id"), Batch.state.in_(OPEN_WORK)).limit(1)


def lock_screen(connection: Connection, screen_id: str) -> ScreenState:
    """Lock the screen's row until the transaction ends; return the stored state. Raises NotFound.

    Every change of a screen's state or of its batches takes this lock first and only then locks rows of batches.
    Therefore two workers that finish at once see each other's work, and no two transactions wait for each other.
    """
    state = connection.execute(_LOCK, {"screen_id": screen_id}).scalar_one_or_none()
    if state is None:
        raise NotFound(f"there is no screen '{screen_id}'")
    return ScreenState(state)


def set_screen_state(
    connection: Connection,
    screen_id: str,
    state: ScreenState,
    *,
    error: str | None = None,
    finished_at: float | None = None,
) -> None:
    """Write the state of a screen; an earlier error or end is overwritten."""
    change = update(Screen).where(Screen.id == screen_id)
    connection.execute(change.values(state=state, error=error, finished_at=finished_at))


def end_embedding(connection: Connection, screen_id: str) -> int | None:
    """If no batch of the locked screen is open, queue its analysis and return the analysis' id.

    The screen fails if no site of it could be embedded.
    """
    if connection.execute(_OPEN_BATCH, {"screen_id": screen_id}).first():
        return None
    state = connection.execute(select(Screen.state).where(Screen.id == screen_id)).scalar_one()
    if state != ScreenState.QUEUED:
        return None
    # A few damaged images do not stop the analysis, because the other wells still give a result.
    embedded = select(Site.number).where(Site.screen_id == screen_id, Site.state == SiteState.DONE).limit(1)
    if connection.execute(embedded).first() is None:
        # One error is enough in the message, because all sites often fail for the same reason.
        first = parked_sites(connection, screen_id)[0]
        where = f"plate {first.plate}, well {first.well}, site {first.site}"
        error = f"no site could be embedded; the first ({where}): {first.error}"
        set_screen_state(connection, screen_id, ScreenState.FAILED, error=error, finished_at=now(connection))
        return None
    request = connection.execute(select(Screen.request).where(Screen.id == screen_id)).scalar_one()
    return queue_analysis(connection, screen_id, AnalysisParameters.model_validate(request["analysis"]))


def queue_analysis(connection: Connection, screen_id: str, parameters: AnalysisParameters) -> int:
    """Queue the next version of the analysis of a locked screen; return the analysis' id.

    Parameters that say nothing of exclusions get those that stand by the decisions about the screen.
    """
    if parameters.exclusions is None and (trail := read_trail(connection, screen_id)):
        parameters = parameters.model_copy(update={"exclusions": standing_exclusions(trail)})
    # The screen is locked, so no other transaction can take the same version.
    newest = connection.execute(select(func.max(Analysis.version)).where(Analysis.screen_id == screen_id)).scalar()
    values = {
        "screen_id": screen_id,
        "version": (newest or 0) + 1,
        "state": WorkState.QUEUED,
        "parameters": parameters.model_dump(mode="json"),
        "created_at": now(connection),
    }
    analysis_id = connection.execute(insert(Analysis).values(**values).returning(Analysis.id)).scalar_one()
    set_screen_state(connection, screen_id, ScreenState.ANALYSING)
    return analysis_id


def end_analysis(connection: Connection, screen_id: str, *, version: int | None, error: str | None) -> None:
    """Set the state of a locked screen after one of its analyses succeeded (`version`) or failed (`error`).

    The screen is done if any analysis of it has succeeded, and still analysing while another one is open.
    """
    newest = connection.execute(select(Screen.analysis_version).where(Screen.id == screen_id)).scalar_one()
    if version is not None:
        # Analyses may end in another order than they began, and an older one must not hide a newer result.
        newest = max(newest or 0, version)
        connection.execute(update(Screen).where(Screen.id == screen_id).values(analysis_version=newest))
    # An earlier result stays valid when a later analysis fails, so the screen is still done.
    state = ScreenState.FAILED if newest is None else ScreenState.DONE
    shown_error = error if newest is None else None
    set_screen_state(connection, screen_id, state, error=shown_error, finished_at=now(connection))
    still_open = select(func.count()).where(Analysis.screen_id == screen_id, Analysis.state.in_(OPEN_WORK))
    if connection.execute(still_open).scalar_one():
        set_screen_state(connection, screen_id, ScreenState.ANALYSING)
