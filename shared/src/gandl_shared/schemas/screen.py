"""Messages about a screen: the request, its state and progress, and the scores of its wells, sites and compounds."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field, model_validator

from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.base import FileBytes, Frozen
from gandl_shared.schemas.choice import ImageChoice
from gandl_shared.schemas.curve import Relation
from gandl_shared.schemas.limits import IntensityLimits, PlateIntensities
from gandl_shared.schemas.vocabulary import Flag, Role, TableLevel, Verdict

Name = Annotated[str, Field(min_length=1, max_length=200)]
ModelName = Annotated[str, Field(pattern=r"^\w[\w.+ ()-]*$", max_length=200)]
"""A name as in GET /models: letters, digits and _ . + - ( ), and nothing that would be a path."""


class ScreenRequest(ImageChoice):
    """A screen to run, with the choices between several images of one site.

    `images` and `plate_map` are paths below the service's image root; the plate map can also be sent as CSV text, or
    as a workbook in base64. `limits` are each plate's own percentiles (`plate`), those of the model card (`card`), or
    explicit ones.
    """

    name: Name | None = None
    images: Annotated[str, Field(min_length=1, max_length=4096)]
    plate_map: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    plate_map_csv: Annotated[str, Field(min_length=1, max_length=50_000_000)] | None = None
    plate_map_xlsx: Annotated[FileBytes, Field(min_length=1, max_length=50_000_000)] | None = None
    plate_map_sheet: Name | None = Field(default=None, description="sheet of the workbook; absent: the first one")
    positive_control: tuple[Name, ...] = Field(
        default=(),
        description="positive control of a published data set: mock, irradiated, or a compound such as taxol@0.3",
    )
    pattern: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    channels: tuple[Name, ...] | None = None
    model: ModelName | None = Field(default=None, description="a name of GET /models; absent: the default model")
    limits: Literal["plate", "card"] | IntensityLimits = "plate"
    allow_clipping: bool = Field(
        default=False, description="true: the limits of the card are used even where they do not fit the images"
    )
    analysis: AnalysisParameters = AnalysisParameters()
    dry_run: bool = Field(default=False, description="inspect the images and answer a report; nothing is stored")

    @model_validator(mode="after")
    def _one_plate_map(self) -> ScreenRequest:
        if [self.plate_map, self.plate_map_csv, self.plate_map_xlsx].count(None) != 2:
            raise ValueError(
                "send exactly one of plate_map (a path), plate_map_csv (its text) and plate_map_xlsx (a file in base64)"
            )
        return self


class TableRequest(Frozen):
    """A table of features that another program computed, to be analysed as a screen: Parquet, CSV, CSV.GZ or `.h5ad`.

    `table` and `plate_map` are paths below the service's image root; both can also be sent in the request, the table in
    base64 with its `table_name`. The plate map may be left out where the table says itself what its wells hold.
    """

    name: Name | None = None
    table: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    table_base64: Annotated[FileBytes, Field(min_length=1, max_length=50_000_000)] | None = None
    table_name: Annotated[str, Field(pattern=r"^[\w][\w.+ ()-]*$", max_length=200)] = "table"
    plate_map: Annotated[str, Field(min_length=1, max_length=4096)] | None = None
    plate_map_csv: Annotated[str, Field(min_length=1, max_length=50_000_000)] | None = None
    positive_control: tuple[Name, ...] = Field(
        default=(), max_length=20, description="the positive control of a published data set that leaves the choice"
    )
    level: TableLevel | None = Field(default=None, description="what a row is, where the columns do not say so")
    analysis: AnalysisParameters = AnalysisParameters()

    @model_validator(mode="after")
    def _one_table(self) -> TableRequest:
        if (self.table is None) == (self.table_base64 is None):
            raise ValueError("send exactly one of table (a path) and table_base64 (a file in base64)")
        if self.plate_map is not None and self.plate_map_csv is not None:
            raise ValueError("send at most one of plate_map (a path) and plate_map_csv (its text)")
        return self


class ScreenState(StrEnum):
    """A screen is queued, embedding, analysing and then done, unless it fails or is cancelled."""

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
    """Counts of sites. Parked sites could not be decoded, or failed repeatedly."""

    sites: int
    done: int
    parked: int


class ParkedSite(Frozen):
    """A site without vectors, and the reason."""

    plate: str
    well: str
    site: str
    error: str


class SiteNote(Frozen):
    """What a worker noticed about a site that is done, such as a file that was replaced after the submission."""

    plate: str
    well: str
    site: str
    note: str


def summary_of(state: ScreenState, progress: Progress, *, waiting: str | None, error: str | None) -> str:
    """Return the state of a screen in one sentence that hides nothing: what is missing, awaited or wrong."""
    if state is ScreenState.FAILED:
        return f"failed: {error}" if error else "failed"
    is_running = state in (ScreenState.QUEUED, ScreenState.EMBEDDING)
    text = f"{state.value}: {progress.done} of {progress.sites} sites are done" if is_running else state.value
    if progress.parked:
        text += f", but {progress.parked} of {progress.sites} sites are parked and have no vectors"
    return text if waiting is None else f"{text}; waiting: {waiting}"


class ScreenStatus(Frozen):
    """A screen as `GET /screens/{id}` answers it. Times are ISO 8601, UTC.

    `image_layout` and `channel_order` say how its images were read and which channel feeds which input, and why. They
    are null in lists of screens, and for screens of older versions.
    """

    id: str
    name: str
    state: ScreenState
    model: str
    plates: int
    wells: int
    progress: Progress
    summary: str = Field(default="", description="the state in one sentence: what is missing, awaited or wrong")
    parked: tuple[ParkedSite, ...] = ()
    noted: tuple[SiteNote, ...] = Field(default=(), description="sites whose files changed after the submission")
    image_layout: str | None = None
    channel_order: str | None = None
    notes: tuple[str, ...] = Field(default=(), description="what was assumed while the input was read")
    intensities: Mapping[str, PlateIntensities] = Field(
        default_factory=dict, description="bit depth and range of the images by plate; absent in a list of screens"
    )
    waiting: str | None = Field(
        default=None, description="what the screen waits for, such as a folder that is away; it goes on by itself"
    )
    error: str | None = None
    analysis_version: int | None = None
    created_at: str
    finished_at: str | None = None


def notes_of(status: ScreenStatus) -> tuple[str, ...]:
    """Return a sentence for the analysis if files changed after the submission, otherwise nothing."""
    if not status.noted:
        return ()
    first = status.noted[0]
    where = f"plate {first.plate}, well {first.well}, site {first.site}: {first.note}"
    return (f"the files of {len(status.noted)} sites changed after the screen was submitted; the first, {where}",)


class WellScore(Frozen):
    """One row of `wells.csv`: the scores of a well, which are means over its tiles. `excluded` says why a well with
    images has no score, or who left it out and why; a well with both is left out of its curve only. An empty well still
    has its `off_distance`, which distinguishes wells without cells from wells like the controls."""

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
    """One row of `sites.csv`: the scores of a field of view, which are means over its tiles. The sites of a control are
    held out together with their well. A site that image QC leaves out has no scores. `image_qc` names its problems with
    their channels, such as `dead (DNA)`, and `excluded` says who left it out and why."""

    plate: str
    well: str
    site: str
    role: Role
    compound: str | None
    concentration_um: float | None
    cell_line: str
    on: float | None
    efficacy: float | None
    n_tiles: int
    image_qc: tuple[str, ...] = ()
    excluded: str | None = None


class ProblemBody(Frozen):
    """One problem of an input, and its position. `more` counts further ones of its kind that are not listed."""

    detail: str
    file: str | None = None
    row: int | None = None
    field: str | None = None
    more: int = 0


class ErrorBody(Frozen):
    """The body of every error of every service."""

    error: str
    detail: str
    problems: tuple[ProblemBody, ...] = ()
    request_id: str | None = None


class Hit(Frozen):
    """One compound of a cell line with its rank. `window_fold` is the factor from the EC50 to the first sign of
    toxicity (`window_relation` `=`), or to the highest dose tested if there is no such sign (`>`). `toxic_from_um` is
    the dose of that sign: the cells leave both controls, or the effect is lost. `hit_probability` is how often the
    compound would be a hit in a new experiment, null where it was not tested. `assessed_verdict` and
    `assessed_ec50_um` are what the person `assessed_by` has set beside the computed values, which stay."""

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
    hit_probability: float | None = None
    assessed_verdict: Verdict | None = None
    assessed_ec50_um: float | None = None
    assessed_by: str | None = None
    flags: tuple[Flag, ...]
    metadata: Mapping[str, str] = Field(default_factory=dict, description="further columns of the plate map, joined")
