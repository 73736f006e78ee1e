"""Assay quality, as `quality.json` and `GET /screens/{id}/quality` give it: from out-of-fold scores, unless `in_sample`
says otherwise."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field

from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.vocabulary import ImageReason

Share = Annotated[float, Field(ge=0, le=1)]


class ShareInterval(Frozen):
    """95 % interval of a share."""

    low: Share
    high: Share


class ControlConfusion(Frozen):
    """Counts of held-out control wells by their role and the side of the axis they fall on."""

    positive_right: int
    positive_wrong: int
    negative_right: int
    negative_wrong: int


class GroupQuality(Frozen):
    """How well control wells are told apart, in a cell line or on a plate. A figure that needs more wells is null."""

    cell_line: str | None = Field(default=None, description="of the figures of a plate")
    z_prime: float | None = Field(
        description="of out-of-fold scores; null too where the positive controls do not lie above the negative ones"
    )
    z_prime_robust: float | None
    ssmd: float | None
    v_factor: float | None = Field(description="1 - 6 × mean within-dose spread of treatments / control distance")
    roc_auc: Share | None
    accuracy: Share | None = Field(
        description="share of control tiles on their side of the axis that has not seen them"
    )
    accuracy_interval: ShareInterval | None = Field(default=None, description="bootstrap over wells")
    well_accuracy: Share | None = None
    well_accuracy_interval: ShareInterval | None = Field(default=None, description="Wilson")
    confusion: ControlConfusion | None = None
    n_positive: int
    n_negative: int
    grouped_by: str | None = Field(
        default=None,
        description="what was held out together: experiment, plate, row, column or well; screen: the axis is of an "
        "earlier screen; null: nothing",
    )
    in_sample: bool = Field(
        default=False, description="the axis has seen these controls: every figure flatters, for comparison only"
    )
    verdict: Literal["good", "usable", "poor", "undetermined"] | None = None
    reasons: tuple[str, ...] = ()


class ConfoundingProbe(Frozen):
    """Whether something that should not matter can be told from the control vectors. `accuracy` is leave-one-out,
    `chance` its mean under permutation; a small `p_value` says that it can be told."""

    what: Literal["plate", "row", "column", "edge", "site"]
    classes: int
    n: int = Field(description="control wells (for `site`: sites of control wells)")
    accuracy: Share
    chance: Share
    p_value: Share


class ReplicateGroup(Frozen):
    """One compound at one dose: do its wells find each other among the negative controls?"""

    compound: str
    concentration_um: float | None
    n_wells: int
    map: Share = Field(description="mean average precision")
    p_value: Share
    q_value: Share


class Replicates(Frozen):
    """Reproducibility of replicates by mean average precision (copairs)."""

    share_reproducible: Share = Field(description="share of the groups with q below 0.05")
    groups: tuple[ReplicateGroup, ...]


class PositionEffect(Frozen):
    """Mean efficacy, less what the well holds, by row and column of a plate. Nothing is corrected by it. The p-values
    are of this plate's rows and columns alone; the adjusted ones hold over all rows and columns of the cell line's
    plates together (Westfall and Young)."""

    plate: str
    rows: Mapping[str, float]
    columns: Mapping[str, float]
    row_p_value: Share | None
    column_p_value: Share | None
    row_p_adjusted: Share | None = None
    column_p_adjusted: Share | None = None
    residuals: Mapping[str, float] = Field(description="by well")


class UnseenPlates(Frozen):
    """Separation of controls by axes that have seen no well of their plate: what the axis is worth on a later plate."""

    plates: int
    z_prime: float | None
    accuracy: Share | None = Field(description="of tiles")
    roc_auc: Share | None


class CellLineProbes(Frozen):
    """What besides the controls' separation speaks for or against the scores of a cell line."""

    leakage: tuple[ConfoundingProbe, ...] = ()
    confounded: tuple[Literal["plate", "row", "column"], ...] = Field(
        default=(),
        description="where no plate, row or column holds control wells of both classes: what it does to the images "
        "cannot be told from what the positive control does",
    )
    replicates: Replicates | None = None
    positions: tuple[PositionEffect, ...] = ()
    unseen_plates: UnseenPlates | None = None


class FailedSite(Frozen):
    """A site that image QC objects to; `excluded`: it counts in no score."""

    well: str
    site: str
    reasons: tuple[ImageReason, ...]
    excluded: bool


class PlateImages(Frozen):
    """Image QC of a plate. Focus is judged from eight sites of a cell line on."""

    sites: int
    focus_judged: bool
    failed: tuple[FailedSite, ...] = Field(description="in plate map order")
    blank_tiles: int = Field(default=0, description="tiles without cells, left out of wells that have others")


class Quality(Frozen):
    """By cell line and by plate (`P1`; `P1 (U2OS)` for each cell line of a plate that holds several); `probes` by cell
    line, `images` by plate (no entry where images were not measured). `note` says where the figures are not what they
    usually are."""

    note: str | None = None

    cell_lines: Mapping[str, GroupQuality]
    plates: Mapping[str, GroupQuality]
    probes: Mapping[str, CellLineProbes] = Field(default_factory=dict)
    images: Mapping[str, PlateImages] = Field(default_factory=dict)
