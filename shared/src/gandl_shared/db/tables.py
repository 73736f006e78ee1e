"""The tables. The database is the truth about a screen; everything else (queue, vectors) can be made again from it.

A screen's plates, wells, sites and batches are numbered from 0 in the order of the plate map, so their keys are natural
and a million sites go in without asking the database for numbers. Times are seconds since 1970, UTC.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import JSON, BigInteger, Float, ForeignKey, ForeignKeyConstraint, Index, Integer, String, Text
from sqlalchemy import UniqueConstraint as Unique
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

Json = dict[str, Any]  # JSON documents: their forms are the schemas', checked where they are read

BigId = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only


class Base(DeclarativeBase):
    """All tables of gandl."""


class Screen(Base):
    """A plate job. `state` is queued (batches open), analysing, done, failed or cancelled."""

    __tablename__ = "screens"

    id: Mapped[str] = mapped_column(String(64), primary_key=True)
    name: Mapped[str] = mapped_column(String(200))
    state: Mapped[str] = mapped_column(String(20), index=True)
    images: Mapped[str] = mapped_column(Text)
    model: Mapped[str] = mapped_column(String(200))
    model_id: Mapped[str] = mapped_column(String(64))
    size: Mapped[int]
    downscale: Mapped[int]
    request: Mapped[Json] = mapped_column(JSON)
    error: Mapped[str | None] = mapped_column(Text)
    analysis_version: Mapped[int | None]
    created_at: Mapped[float] = mapped_column(Float(53))
    finished_at: Mapped[float | None] = mapped_column(Float(53))


class Plate(Base):
    """A plate and the intensity limits its images are mapped by."""

    __tablename__ = "plates"

    screen_id: Mapped[str] = mapped_column(ForeignKey("screens.id", ondelete="CASCADE"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(Text)
    limits: Mapped[Json] = mapped_column(JSON)


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


class Batch(Base):
    """Neighbouring sites that one worker takes at once. `state` is queued, leased, done, parked or cancelled.

    `token` is the lease: whoever cannot show it may not write. `not_before` holds a batch back for a while.
    """

    __tablename__ = "batches"
    __table_args__ = (
        Unique("screen_id", "number"),
        Index("batches_by_state", "state", "id"),
        Index("batches_of_screen", "screen_id", "state", "id"),
    )

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    screen_id: Mapped[str] = mapped_column(ForeignKey("screens.id", ondelete="CASCADE"))
    number: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[float] = mapped_column(Float(53), default=0.0)
    worker: Mapped[str | None] = mapped_column(Text)
    token: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[float | None] = mapped_column(Float(53))
    error: Mapped[str | None] = mapped_column(Text)


class Site(Base):
    """A field of view. `state` is queued, done or parked; `key` is the identity of its vectors once it is done."""

    __tablename__ = "sites"
    __table_args__ = (
        ForeignKeyConstraint(["screen_id", "well"], ["wells.screen_id", "wells.number"], ondelete="CASCADE"),
        ForeignKeyConstraint(["screen_id", "batch"], ["batches.screen_id", "batches.number"], ondelete="CASCADE"),
        Index("sites_of_well", "screen_id", "well"),
        Index("sites_of_batch", "screen_id", "batch", "number"),
        Index("sites_by_state", "screen_id", "state"),
    )

    screen_id: Mapped[str] = mapped_column(String(64), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    well: Mapped[int]
    batch: Mapped[int]
    name: Mapped[str] = mapped_column(Text)
    files: Mapped[list[str]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(String(20))
    key: Mapped[str | None] = mapped_column(String(64))
    error: Mapped[str | None] = mapped_column(Text)


class Analysis(Base):
    """One analysis of a screen. `state` is queued, leased, done, failed or cancelled; leases as of batches."""

    __tablename__ = "analyses"
    __table_args__ = (Unique("screen_id", "version"), Index("analyses_by_state", "state", "id"))

    id: Mapped[int] = mapped_column(BigId, primary_key=True)
    screen_id: Mapped[str] = mapped_column(ForeignKey("screens.id", ondelete="CASCADE"))
    version: Mapped[int]
    state: Mapped[str] = mapped_column(String(20))
    parameters: Mapped[Json] = mapped_column(JSON)
    attempts: Mapped[int] = mapped_column(default=0)
    not_before: Mapped[float] = mapped_column(Float(53), default=0.0)
    worker: Mapped[str | None] = mapped_column(Text)
    token: Mapped[str | None] = mapped_column(String(32))
    leased_until: Mapped[float | None] = mapped_column(Float(53))
    error: Mapped[str | None] = mapped_column(Text)
    created_at: Mapped[float] = mapped_column(Float(53))
    finished_at: Mapped[float | None] = mapped_column(Float(53))


class Timer(Base):
    """When a periodic job of the whole installation is next due, whoever does it."""

    __tablename__ = "timers"

    name: Mapped[str] = mapped_column(String(40), primary_key=True)
    due_at: Mapped[float] = mapped_column(Float(53))
