"""What goes into the database and what comes out, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from gandl_shared.plates import PlateMap, Site
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenLimits, ScreenRequest, ScreenState


@dataclass(frozen=True)
class ModelUse:
    """The model of a screen: its name and file hash, the tile size it takes and the downscaling before that."""

    name: str
    id: str
    size: int
    downscale: int


@dataclass(frozen=True)
class NewScreen:
    """All rows of a screen to be. `limits` is by plate name; `sites` are in the order of the plate map."""

    name: str
    images: Path
    model: ModelUse
    request: ScreenRequest
    plate_map: PlateMap
    limits: Mapping[str, ScreenLimits]
    sites: tuple[Site, ...]
    sites_per_batch: int = 8


@dataclass(frozen=True)
class ScreenRecord:
    """A screen as it was submitted, and its stored state."""

    id: str
    name: str
    state: ScreenState
    images: Path
    model: ModelUse
    request: ScreenRequest
    limits: Mapping[str, ScreenLimits]
    error: str | None
    analysis_version: int | None


@dataclass(frozen=True)
class LeasedSite:
    """A site to embed. `number` counts the screen's sites in plate map order; `key` is set if it was done before."""

    number: int
    site: Site
    key: str | None


@dataclass(frozen=True)
class LeasedBatch:
    """A batch that is this worker's alone until its lease runs out; `token` proves it."""

    id: int
    screen_id: str
    number: int
    token: str
    attempt: int
    model: ModelUse
    limits: Mapping[str, ScreenLimits]
    sites: tuple[LeasedSite, ...]


@dataclass(frozen=True)
class FinishedBatch:
    """What became of a batch that was given back. `accepted` is False where the lease was lost: nothing was written.

    `analysis_id` is the analysis that this very call queued, because it brought the last batch.
    """

    screen_id: str
    accepted: bool
    analysis_id: int | None = None


@dataclass(frozen=True)
class LeasedAnalysis:
    """An analysis that is this worker's alone until its lease runs out."""

    id: int
    screen_id: str
    version: int
    token: str
    attempt: int
    parameters: AnalysisParameters


@dataclass(frozen=True)
class AnalysisRecord:
    """An analysis and its state: queued, running, done, failed or cancelled. Times are ISO 8601, UTC."""

    id: int
    screen_id: str
    version: int
    state: str
    parameters: AnalysisParameters
    error: str | None
    created_at: str
    finished_at: str | None
