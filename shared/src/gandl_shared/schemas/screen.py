"""What is said about a screen on the wire: the request, its state and progress, its wells."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.curve import Relation
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.vocabulary import Flag, Role, Verdict

Name = Annotated[str, Field(min_length=1, max_length=200)]
ModelName = Annotated[str, Field(pattern=r"^\w[\w.+ ()-]*$", max_length=200)]
"""As of GET /models: letters, digits and _ . + - ( ), nothing that would be a path."""


class ScreenRequest(Frozen):
    """A plate job. `images` and `plate_map` are paths below the service's image root; the plate map may also be sent
    as CSV text. `limits`: each plate's own percentiles (`plate`), the model card's (`card`), or explicit ones."""

    name: Name | None = None
    images: Annotated[str, Field(min_length=1, max_length=4096)]
    plate_map: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    plate_map_csv: Annotated[str, Field(min_length=1, max_length=50_000_000)] | None = None
    pattern: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    channels: tuple[Name, ...] | None = None
    model: ModelName | None = Field(default=None, description="a name of GET /models; not needed where one is served")
    limits: Literal["plate", "card"] | IntensityLimits = "plate"
    analysis: AnalysisParameters = AnalysisParameters()

    @model_validator(mode="after")
    def _one_plate_map(self) -> ScreenRequest:
        if (self.plate_map is None) == (self.plate_map_csv is None):
            raise ValueError("give exactly one of plate_map (a path) and plate_map_csv (the text)")
        return self


class ScreenState(StrEnum):
    """queued → embedding → analysing → done, or failed, or cancelled."""

    QUEUED = "queued"
    EMBEDDING = "embedding"
    ANALYSING = "analysing"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def has_ended(self) -> bool:
        """Whether nothing more happens to the screen by itself."""
        return self in (ScreenState.DONE, ScreenState.FAILED, ScreenState.CANCELLED)


class Progress(Frozen):
    """Counts of sites; `parked` could not be decoded or kept failing."""

    sites: int
    done: int
    parked: int


class ParkedSite(Frozen):
    """A site without vectors, and why."""

    plate: str
    well: str
    site: str
    error: str


class ScreenStatus(Frozen):
    """A screen as `GET /screens/{id}` answers it. Times are ISO 8601, UTC."""

    id: str
    name: str
    state: ScreenState
    model: str
    plates: int
    wells: int
    progress: Progress
    parked: tuple[ParkedSite, ...] = ()
    error: str | None = None
    analysis_version: int | None = None
    created_at: str
    finished_at: str | None = None


class WellScore(Frozen):
    """One row of `wells.csv`: scores of a well, the mean over its tiles. `excluded` says why a well with images has no
    score; an empty one keeps its `off_distance`, which tells wells without cells from wells like the controls."""

    plate: str
    well: str
    role: Role
    compound: str | None
    concentration_um: float | None
    cell_line: str
    on: float | None
    off: float | None
    efficacy: float | None
    off_distance: float | None = None
    n_tiles: int
    excluded: str | None = None
    metadata: Mapping[str, str] = Field(default_factory=dict, description="further columns of the plate map")


class SiteScore(Frozen):
    """One row of `sites.csv`: scores of a field of view, the mean over its tiles. A control's is held out with its
    well."""

    plate: str
    well: str
    site: str
    role: Role
    compound: str | None
    concentration_um: float | None
    cell_line: str
    on: float
    efficacy: float | None
    n_tiles: int


class ProblemBody(Frozen):
    """One thing wrong with an input, and where."""

    detail: str
    file: str | None = None
    row: int | None = None
    field: str | None = None


class ErrorBody(Frozen):
    """Every error of every service."""

    error: str
    detail: str
    problems: tuple[ProblemBody, ...] = ()
    request_id: str | None = None


class Hit(Frozen):
    """One ranked compound of a cell line. `window_fold` is how far the dose can be raised from the EC50 until the first
    sign of toxicity (`window_relation` `=`), or to the highest dose tested where none is seen (`>`); `toxic_from_um`
    is the dose of that sign: cells leave both controls, or the effect is lost."""

    rank: int | None
    compound: str
    cell_line: str
    verdict: Verdict
    ec50_um: float | None
    ec50_relation: Relation | None
    emax: float | None
    q_value: float | None
    window_fold: float | None = None
    window_relation: Relation | None = None
    toxic_from_um: float | None = None
    flags: tuple[Flag, ...]
