"""The quality of an assay as `quality.json` and `GET /screens/{id}/quality` give it.

All metrics of controls are from out-of-fold scores unless `in_sample` is true.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import Field

from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.vocabulary import ImageReason, Role

Share = Annotated[float, Field(ge=0, le=1)]


class ShareInterval(Frozen):
    """The 95 % interval of a share."""

    low: Share
    high: Share


class ControlConfusion(Frozen):
    """Counts of held-out control wells by their role and by the side of the SVM's boundary on which their score is."""

    positive_right: int
    positive_wrong: int
    negative_right: int
    negative_wrong: int


class GroupQuality(Frozen):
    """How well the control wells of a cell line or of a plate are separated. A metric that needs more wells is null."""

    cell_line: str | None = Field(default=None, description="the cell line, where the metrics are those of a plate")
    z_prime: float | None = Field(
        description="Z′ of out-of-fold scores; null too where the mean of the positive controls is not above that of "
        "the negative ones"
    )
    z_prime_robust: float | None = Field(description="Z′ with medians and median absolute deviations")
    ssmd: float | None = Field(description="strictly standardised mean difference")
    v_factor: float | None = Field(description="1 - 6 × mean within-dose spread of treatments / control distance")
    roc_auc: Share | None
    chance_p_value: Share | None = Field(
        default=None,
        description="one-sided Mann–Whitney test of the held-out control wells: how often controls without any effect "
        "would be separated so well; null where nothing was held out",
    )
    at_chance: bool = Field(
        default=False,
        description="true if the control wells overlap and `chance_p_value` is above 0.01: no compound of this cell "
        "line has a direction, an EC50 or a rank",
    )
    accuracy: Share | None = Field(
        description="share of the control tiles on their own side of an axis that was fitted without their well"
    )
    accuracy_interval: ShareInterval | None = Field(default=None, description="from a bootstrap over wells")
    well_accuracy: Share | None = Field(default=None, description="the same share of control wells")
    well_accuracy_interval: ShareInterval | None = Field(default=None, description="Wilson's score interval")
    confusion: ControlConfusion | None = None
    n_positive: int
    n_negative: int
    grouped_by: str | None = Field(
        default=None,
        description="the unit that was held out together: experiment, plate, row, column or well; screen if the axis "
        "is that of an earlier screen; null if nothing was held out",
    )
    in_sample: bool = Field(
        default=False,
        description="true if the axis was fitted on these controls: every metric flatters the assay and serves for "
        "comparison only",
    )
    verdict: Literal["good", "usable", "poor", "undetermined"] | None = None
    reasons: tuple[str, ...] = ()


class ConfoundingProbe(Frozen):
    """Whether the vectors of controls reveal something that should not matter.

    `accuracy` is leave-one-out, and `chance` is its mean under permutation. A small `p_value` means that they do.
    """

    what: Literal["plate", "row", "column", "edge", "site"]
    classes: int
    n: int = Field(description="number of control wells; for `site` the number of sites of control wells")
    accuracy: Share
    chance: Share
    p_value: Share


class ReplicateGroup(Frozen):
    """One compound at one dose: whether its wells find each other among the negative controls."""

    compound: str
    concentration_um: float | None
    n_wells: int
    map: Share = Field(description="mean average precision")
    p_value: Share
    q_value: Share


class Replicates(Frozen):
    """The reproducibility of replicates by mean average precision (copairs)."""

    share_reproducible: Share = Field(description="share of the groups with a q-value below 0.05")
    groups: tuple[ReplicateGroup, ...]


class PositionEffect(Frozen):
    """The mean efficacy per row and column of a plate, less the mean of wells with the same treatment.

    No score is corrected by it. The p-values are those of the rows and columns of this plate alone. The adjusted ones
    hold for all rows and columns of the cell line's plates together (Westfall and Young).
    """

    plate: str
    rows: Mapping[str, float]
    columns: Mapping[str, float]
    row_p_value: Share | None
    column_p_value: Share | None
    row_p_adjusted: Share | None = None
    column_p_adjusted: Share | None = None
    residuals: Mapping[str, float] = Field(description="by well")


class UnseenPlates(Frozen):
    """The separation of controls by axes that were fitted without any well of their plate.

    It shows what the axis is worth on a later plate.
    """

    plates: int
    z_prime: float | None
    accuracy: Share | None = Field(description="share of tiles")
    roc_auc: Share | None


class MislabelledControl(Frozen):
    """A control well whose held-out score is that of the other class, as if its label or content were swapped."""

    plate: str
    well: str
    role: Role
    efficacy: float | None


class RetrievalProbe(Frozen):
    """One protocol of retrieval: what is retrieved, what is left out of the candidates, and the means over the queries.

    The numbers are None where no query has a candidate of its group left, as with one plate and `not the same plate`.
    """

    task: str
    restriction: str
    queries: int
    map: float | None = Field(default=None, description="mean average precision")
    recall_at_1: float | None = Field(default=None, description="share of queries whose nearest candidate is right")
    chance: float | None = Field(default=None, description="what a random order gives")


class CellLineProbes(Frozen):
    """What besides the separation of the controls speaks for or against the scores of a cell line."""

    leakage: tuple[ConfoundingProbe, ...] = Field(default=(), description="probes of confounding")
    confounded: tuple[Literal["plate", "row", "column"], ...] = Field(
        default=(),
        description="positions of which none holds control wells of both classes: an effect of the position on images "
        "cannot be separated from the effect of the positive control, and no verdict is above undetermined",
    )
    mislabelled: tuple[MislabelledControl, ...] = Field(
        default=(), description="control wells that score like the other class and not like their own"
    )
    replicates: Replicates | None = None
    positions: tuple[PositionEffect, ...] = ()
    unseen_plates: UnseenPlates | None = None
    retrieval: tuple[RetrievalProbe, ...] = Field(default=(), description="only if the parameters ask for it")


class FailedSite(Frozen):
    """A site with a problem; an `excluded` site counts in no score. `channels` names the channels with each problem."""

    well: str
    site: str
    reasons: tuple[ImageReason, ...]
    excluded: bool
    channels: Mapping[ImageReason, tuple[str, ...]] = Field(default_factory=dict)

    @property
    def problems(self) -> tuple[str, ...]:
        """The reasons as texts, each with its channels, such as `dead (DNA)`."""
        return tuple(with_channels(reason, self.channels.get(reason, ())) for reason in self.reasons)


def with_channels(reason: ImageReason, channels: Sequence[str]) -> str:
    """Return a reason with the channels that it is about, such as `dead (DNA)`."""
    return f"{reason} ({', '.join(channels)})" if channels else str(reason)


class ChannelImages(Frozen):
    """One channel of a plate: the number of its sites in which the channel has each problem."""

    channel: str
    problems: Mapping[ImageReason, int] = Field(default_factory=dict)


class PlateImages(Frozen):
    """The image QC of a plate. Focus is judged where a cell line has eight sites or more.

    A plate is not `usable` if a channel is dead or a copy in more of its sites than `image_qc.unusable` allows, and
    `reasons` says which channel that is.
    """

    sites: int
    focus_judged: bool
    failed: tuple[FailedSite, ...] = Field(description="in plate map order")
    blank_tiles: int = Field(default=0, description="tiles without cells, left out of wells that have others")
    channels: tuple[ChannelImages, ...] = ()
    usable: bool = True
    reasons: tuple[str, ...] = ()


class SitePosition(Frozen):
    """A field of view, its well, and what the well is for."""

    plate: str
    well: str
    site: str
    role: Role
    cell_line: str


class IdenticalImages(Frozen):
    """Sites whose images are equal in every pixel, as if a file had been copied under another name."""

    sites: tuple[SitePosition, ...]


class Quality(Frozen):
    """The quality of a screen by cell line and by plate.

    The key of a plate is its name, or `P1 (U2OS)` for each cell line of a plate with several. `probes` are by cell
    line. `images` are by plate, without an entry where images were not measured. `note` says where the metrics are not
    the usual ones.
    """

    note: str | None = None

    cell_lines: Mapping[str, GroupQuality]
    plates: Mapping[str, GroupQuality]
    probes: Mapping[str, CellLineProbes] = Field(default_factory=dict)
    images: Mapping[str, PlateImages] = Field(default_factory=dict)
    identical: tuple[IdenticalImages, ...] = Field(
        default=(), description="groups of sites with equal images; control wells among them count once"
    )
