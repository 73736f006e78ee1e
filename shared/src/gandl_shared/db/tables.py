"""The tables. The database is the truth about a screen; the queue and the vectors can be made again from it.

Plates, wells, sites and batches of a screen are numbered from 0 in the order of the plate map. Their keys are therefore
known before they are written, and a million sites are inserted without a query for each number. Times are seconds since
1970, UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, ForeignKeyConstraint, Index, Integer, String, Text, text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = dict[str, Any]  # a JSON document; its schema checks it where it is read

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite numbers new rows only for INTEGER keys


class Base(DeclarativeBase):
    """All tables of gandl."""


class Screen(Base):
    """A plate job. `state` is a ScreenState; a screen whose batches are being embedded is stored as queued.

    `notes` say what was assumed while its input was read; null before version 0003 of the tables. `idempotency_key` is
    what the client named its request, and `fingerprint` a hash of that request.
    """

    __tablename__ = "screens"
    __table_args__ = (Index("screens_by_idempotency_key", "idempotency_key", unique=True),)

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), index=True)
    images: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(String(200))
    model_id: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    downscale: Mapped[int]
    request: Mapped[Json] = mapped_column(JSON)
    layout: Mapped[Json | None] = mapped_column(JSON)
    notes: Mapped[list[str] | None] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
    analysis_version: Mapped[int | None]
    wells: Mapped[int] = mapped_column(default=0, server_default="0")
    created_at: Mapped[float] = mapped_column(Float(53))
    finished_at: Mapped[float | None] = mapped_column(Float(53))
    idempotency_key: Mapped[str | None] = mapped_column(String(200))
    fingerprint: Mapped[str | None] = mapped_column(String(64))


class Plate(Base):
    """A plate with the intensity limits by which its images become uint8, and how its pixels lie in them."""

    __tablename__ = "plates"

    screen_id: Mapped[str] = mapped_column(ForeignKey("screens.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    limits: Mapped[Json] = mapped_column(JSON)
    intensities: Mapped[Json | None] = mapped_column(JSON)


class Well(Base):
    """A row of the plate map."""

    __tablename__ = "wells"
    __table_args__ = (
        ForeignKeyConstraint(["screen_id", "plate"], ["plates.screen_id", "plates.number"], ondelete="CASCADE"),
        Index("wells_of_plate", "screen_id", "plate"),
        Index("wells_of_compound", "compound"),
    )

    screen_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    plate: Mapped[int]
    name: Mapped[str] = mapped_column(String(10))
    role: Mapped[str] = mapped_column(String(20))
    compound: Mapped[str | None] = mapped_column(Text)
    concentration_um: Mapped[float | None] = mapped_column(Float(53))
    cell_line: Mapped[str] = mapped_column(Text)
    row: Mapped[int]
    metadata_: Mapped[Json] = mapped_column("metadata", JSON)


class Work(Base):
    """What one worker at a time may do: a batch or an analysis. The rules of its columns are in `leases`.

    `state` is a WorkState. `token` is the lease: a worker that cannot show it may not write. `not_before` delays work
    that a busy service has refused. `waiting` says what the work waits for that is away, `waits` how often it has
    waited, and `waiting_since` from when. `losses` counts the workers that died with it.
    """

    __abstract__ = True

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    screen_id: Mapped[str] = mapped_column(ForeignKey("screens.id", ondelete="CASCADE"))
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[float] = mapped_column(Float(53), default=0.0)
    worker: Mapped[str | None] = mapped_column(Text)
    token: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[float | None] = mapped_column(Float(53))
    error: Mapped[str | None] = mapped_column(Text)
    waiting: Mapped[str | None] = mapped_column(Text)
    waits: Mapped[int] = mapped_column(default=0, server_default="0")
    waiting_since: Mapped[float | None] = mapped_column(Float(53))
    losses: Mapped[int] = mapped_column(default=0, server_default="0")


class Batch(Work):
    """Neighbouring sites that one worker embeds at once. `number` counts the batches of a screen from 0.

    `sites`, `done` and `parked` count its sites, so that the progress of a screen is a sum over its batches.
    """

    __tablename__ = "batches"
    __table_args__ = (
        Unique("screen_id", "number"),
        Index("batches_by_state", "state", "id"),
        Index("batches_of_screen", "screen_id", "state", "id"),
    )

    number: Mapped[int]
    sites: Mapped[int] = mapped_column(default=0, server_default="0")
    done: Mapped[int] = mapped_column(default=0, server_default="0")
    parked: Mapped[int] = mapped_column(default=0, server_default="0")


_HAS_NOTE = text("note IS NOT NULL")


class Site(Base):
    """A field of view. `state` is a SiteState; `key` identifies the vectors of a site that is done.

    `files` has one name per channel, or one list of names per channel if focal planes are to be reduced or a channel is
    missing. `stamps` are size and time of each file at submission, null before version 0005 of the tables and where the
    images are no files. `note` says what a worker noticed about a site that is done.
    """

    __tablename__ = "sites"
    __table_args__ = (
        ForeignKeyConstraint(["screen_id", "well"], ["wells.screen_id", "wells.number"], ondelete="CASCADE"),
        ForeignKeyConstraint(["screen_id", "batch"], ["batches.screen_id", "batches.number"], ondelete="CASCADE"),
        Index("sites_of_well", "screen_id", "well"),
        Index("sites_of_batch", "screen_id", "batch", "number"),
        Index("sites_by_state", "screen_id", "state"),
        Index("sites_with_notes", "screen_id", "number", sqlite_where=_HAS_NOTE, postgresql_where=_HAS_NOTE),
    )

    screen_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    well: Mapped[int]
    batch: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    # Names, or a list of names per channel where its planes are reduced; earlier SQLAlchemy reads no union of lists.
    files: Mapped[list[Any]] = mapped_column(JSON)
    stamps: Mapped[list[Any] | None] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(20))
    key: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[str | None] = mapped_column(Text)
    note: Mapped[str | None] = mapped_column(Text)


class Analysis(Work):
    """One analysis of a screen. `version` counts the analyses of a screen from 1."""

    __tablename__ = "analyses"
    __table_args__ = (Unique("screen_id", "version"), Index("analyses_by_state", "state", "id"))

    version: Mapped[int]
    parameters: Mapped[Json] = mapped_column(JSON)
    created_at: Mapped[float] = mapped_column(Float(53))
    finished_at: Mapped[float | None] = mapped_column(Float(53))


class Decision(Base):
    """A decision of a person about a screen. `number` counts those of a screen from 1; triggers refuse every change."""

    __tablename__ = "decisions"
    __table_args__ = (Unique("screen_id", "number"),)

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    screen_id: Mapped[str] = mapped_column(ForeignKey("screens.id", ondelete="CASCADE"))
    number: Mapped[int]
    kind: Mapped[str] = mapped_column(String(20))
    items: Mapped[list[Any]] = mapped_column(JSON)
    reason: Mapped[str] = mapped_column(Text)
    author: Mapped[str] = mapped_column(Text)
    version: Mapped[int | None]
    created_at: Mapped[float] = mapped_column(Float(53))


class Assessment(Base):
    """What a decision sets beside a curve; both values are null where it withdraws an earlier one."""

    __tablename__ = "assessments"

    decision_id: Mapped[int] = mapped_column(BigId, ForeignKey("decisions.id", ondelete="CASCADE"), primary_key=True)
    compound: Mapped[str] = mapped_column(Text)
    cell_line: Mapped[str] = mapped_column(Text)
    verdict: Mapped[str | None] = mapped_column(String(20))
    ec50_um: Mapped[float | None] = mapped_column(Float(53))


class Timer(Base):
    """When a periodic job of the whole installation is due next. Any process may do it."""

    __tablename__ = "timers"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    due_at: Mapped[float] = mapped_column(Float(53))
