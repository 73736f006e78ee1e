"""What goes into the database and what comes out, as plain frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from gandl_shared.files.stamps import Stamp
from gandl_shared.plates import PlateMap, Site, SiteId
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.choice import Reduction
from gandl_shared.schemas.image_layout import ImageLayout
from gandl_shared.schemas.limits import IntensityLimits, PlateIntensities
from gandl_shared.schemas.screen import ScreenRequest, ScreenState
from gandl_shared.schemas.states import AnalysisState


@dataclass(frozen=True, kw_only=True)
class ModelUse:
    """The model of a screen: name, SHA-256 of its file, edge of its tiles in pixels, downscaling before tiling."""

    name: str
    id: str
    size: int
    downscale: int


@dataclass(frozen=True, kw_only=True)
class NewScreen:
    """All rows of a new screen.

    `limits` and `intensities` have one entry per plate name; `sites` are in the order of the plate map. `layout` says
    how the images were read; screens of older versions have none. `notes` say what was assumed while the input was
    read. `stamps` are the files of the sites as they were. `keys` are those of the sites whose vectors are
    stored already; where there are any, every site has one.
    """

    name: str
    images: Path
    model: ModelUse
    request: ScreenRequest
    plate_map: PlateMap
    limits: Mapping[str, IntensityLimits]
    sites: tuple[Site, ...]
    sites_per_batch: int = 8
    layout: ImageLayout | None = None
    notes: tuple[str, ...] = ()
    intensities: Mapping[str, PlateIntensities] = field(default_factory=dict)
    stamps: Mapping[Path, Stamp] = field(default_factory=dict)
    keys: Mapping[SiteId, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RequestKey:
    """What a client named its request, and a hash of the request, by which it is known again."""

    key: str
    fingerprint: str


@dataclass(frozen=True, kw_only=True)
class ScreenRecord:
    """A screen as it was submitted, with its stored state."""

    id: str
    name: str
    state: ScreenState
    images: Path
    model: ModelUse
    request: ScreenRequest
    limits: Mapping[str, IntensityLimits]
    layout: ImageLayout | None
    error: str | None
    analysis_version: int | None
    notes: tuple[str, ...] = ()
    intensities: Mapping[str, PlateIntensities] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Lease:
    """The right of one worker to a batch or an analysis. `token` proves it; `attempt` counts from 1.

    The work has waited `waits` times for something that was away, over `waited` seconds. `losses` counts the workers
    that died with it.
    """

    id: int
    screen_id: str
    token: str
    attempt: int
    waits: int = 0
    waited: float = 0.0
    losses: int = 0


@dataclass(frozen=True)
class LeasedSite:
    """A site to embed. `number` counts the screen's sites in plate map order; `key` is set if it was done before.

    `stamps` are its files at submission, one for each name, None where a name was no file.
    """

    number: int
    site: Site
    key: str | None
    stamps: tuple[Stamp | None, ...] = ()


@dataclass(frozen=True, kw_only=True)
class SiteRecord:
    """A site as it is stored. `key` is that of its vectors, None without vectors; `error` says why it is parked."""

    site: Site
    batch: int
    key: str | None
    error: str | None


@dataclass(frozen=True, kw_only=True)
class LeasedBatch(Lease):
    """A batch with all that a worker needs in order to embed it. `number` counts the batches of the screen from 0.

    `limits` are those of the plates of its sites. `kind` is that of the vectors which other batches have already
    (`Numerics.kind`), None where there are none.
    """

    number: int
    model: ModelUse
    limits: Mapping[str, IntensityLimits]
    sites: tuple[LeasedSite, ...]
    kind: str | None = None
    reduction: Reduction = Reduction.NONE


@dataclass(frozen=True)
class FinishedBatch:
    """The fate of a batch that a worker returned. `accepted` is False if the lease was lost and nothing was written.

    `analysis_id` is the analysis that this call queued, because no other batch of the screen was open.
    """

    screen_id: str
    accepted: bool
    analysis_id: int | None = None


@dataclass(frozen=True, kw_only=True)
class LeasedAnalysis(Lease):
    """An analysis with its parameters. `version` counts the analyses of the screen from 1."""

    version: int
    parameters: AnalysisParameters


@dataclass(frozen=True, kw_only=True)
class AnalysisRecord:
    """An analysis and its state. Times are ISO 8601, UTC."""

    id: int
    screen_id: str
    version: int
    state: AnalysisState
    parameters: AnalysisParameters
    error: str | None
    created_at: str
    finished_at: str | None


@dataclass(frozen=True, kw_only=True)
class WorkCount:
    """Work of one kind: `ready` for a worker, `leased` by one, and `away`, which waits for something that is away."""

    ready: int
    leased: int
    away: int


@dataclass(frozen=True, kw_only=True)
class WorkCounts:
    """All open work, and the screens by their stored state."""

    batches: WorkCount
    analyses: WorkCount
    screens: Mapping[str, int]


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """Numbers of batches and analyses that no worker has a lease on and that are due; or of messages about them."""

    batches: int
    analyses: int
