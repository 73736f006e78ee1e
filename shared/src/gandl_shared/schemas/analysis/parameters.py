"""The parameters of an analysis. They are stored with its result, so that it can be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gandl_shared.schemas.analysis.exclusions import Exclusion
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.curve import CurveChoice
from gandl_shared.schemas.vocabulary import ImageReason

Whitening = Literal["within_class", "negative_controls", "none", "raw"]
Normalisation = Literal["none", "standardise", "align", "pca_mad"]
Preset = Literal["default", "paper"]
Null = Literal["automatic", "normal", "unequal", "permutation"]

_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Wells = Annotated[
    Mapping[_Text, Annotated[tuple[_Text, ...], Field(min_length=1, max_length=10_000)]],
    Field(
        min_length=1,
        max_length=20,
        description="columns of the plate map, each with the values that a well of the group may have",
    ),
]

PAPER: Mapping[str, object] = {"whitening": "raw", "normalisation": "none", "regularisation": 1.0}
"""The values that the preset `paper` fixes. The paper does not give C; 1 is the default of the SVMs that it used."""


class AxisChoice(Frozen):
    """An axis between any two groups of wells, from `negative` (-1) to `positive` (+1).

    A well belongs to a group if it has, in every column named, one of the values given for it. Columns are `plate`,
    `well`, `role`, `compound`, `concentration_um`, `cell_line`, and any further column of the plate map.
    """

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    positive: Wells
    negative: Wells
    within: Literal["cell_line"] | None = Field(
        default=None, description="`cell_line`: the axis is fitted in each cell line separately"
    )

    @model_validator(mode="after")
    def _free_name(self) -> AxisChoice:
        if self.name.startswith(("E2", "C2")):
            raise ValueError(f"the name {self.name} is reserved: names that begin with E2 or C2 belong to gandl")
        return self


class AxisFrom(Frozen):
    """The efficacy axes of an earlier analysis. Without a version the newest is used, and its number is recorded."""

    screen: _Text
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class QualityThresholds(Frozen):
    """The thresholds of the verdict on an assay.

    `good` and `usable` are the smallest Z′ of each (the worse of Z′ and its robust form counts), `controls` is the
    smallest number of wells of each class for a verdict, and `chance` is the well accuracy that the lower bound of its
    interval must exceed.
    """

    good: Annotated[float, Field(le=1)] = 0.5
    usable: Annotated[float, Field(le=1)] = 0.0
    controls: Annotated[int, Field(ge=2, le=10_000)] = 4
    chance: Annotated[float, Field(ge=0, lt=1)] = 0.5

    @model_validator(mode="after")
    def _ordered(self) -> QualityThresholds:
        if self.usable > self.good:
            raise ValueError(f"usable {self.usable:g} is above good {self.good:g}; give usable at or below good")
        return self


class ImageQcParameters(Frozen):
    """Thresholds of image QC, and the problems for which sites are left out. Other failed sites are listed and used.

    docs/axes-and-quality.md has the rule and the evidence.
    """

    structure: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=1.5, description="a site is empty if no channel has as much structure; 1 is pure noise"
    )
    saturation: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.05, description="a site is saturated if a channel has a larger share of pixels at the upper limit"
    )
    overexposed: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="a site is overexposed if a channel has a larger share of pixels at the upper limit"
    )
    focus: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        default=4.0,
        description="a site is blurred if it is so many robust standard deviations less sharp than the other sites of "
        "its plate and cell line",
    )
    stripes: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="a channel is striped if neighbouring rows or columns change together by more"
    )
    similarity: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.995, description="a channel is a copy if its small differences correlate more with another channel"
    )
    unusable: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.1, description="a plate is not usable if a channel is dead or a copy in a larger share of its sites"
    )
    blank: Annotated[float, Field(ge=0, le=255, allow_inf_nan=False)] = Field(
        default=8.0, description="a tile of less contrast shows no cell and is left out if its well has other tiles"
    )
    exclude: tuple[ImageReason, ...] = Field(
        default=(ImageReason.EMPTY, ImageReason.DEAD, ImageReason.OVEREXPOSED, ImageReason.COPY),
        description="sites with one of these problems are left out of axes and wells; a dead or copied channel counts "
        "only where other sites of the cell line are without the problem",
    )


class NoiseParameters(Frozen):
    """What is assumed of the noise of the wells of a compound; docs/dose-response.md has the methods and prices."""

    null: Null = Field(
        default="automatic",
        description="what the activity test assumes of the wells of a compound that does nothing: `normal` noise of "
        "equal scatter, `unequal` scatter of the doses, or that wells may be exchanged between doses (`permutation`); "
        "`automatic` is `normal` with checks that may overrule it",
    )
    downweight_outliers: bool = Field(
        default=True, description="false: every well counts fully, however far from its replicates it is"
    )


class AnalysisParameters(Frozen):
    """The parameters of an analysis. The defaults gave the best results in docs/axes-and-quality.md."""

    preset: Preset = Field(default="default", description="`paper`: the method of the paper, for comparison only")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    whitening: Whitening = "within_class"
    regularisation: Annotated[float, Field(gt=0, le=1e6)] = Field(default=1e-3, description="C of the SVM per tile")
    normalisation: Normalisation = Field(
        default="none",
        description="normalisation of vectors by the negative controls of each plate; `align` with the "
        "whitening `negative_controls` is TVN; `pca_mad` is scale, PCA 64, plate MAD",
    )
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(default=0.05, description="the largest q of an active compound")
    curves: CurveChoice = Field(default=CurveChoice(), description="the form of the dose-response curves")
    noise: NoiseParameters = NoiseParameters()
    vehicle: bool = Field(
        default=False,
        description="true: the negative controls of a plate are the vehicle, and so the zero dose of its compounds",
    )
    retrieval: bool = Field(
        default=False,
        description="true: also test whether replicates, and compounds of one mechanism (column `moa`), find each "
        "other among all other wells",
    )
    image_qc: ImageQcParameters = ImageQcParameters()
    quality: QualityThresholds = QualityThresholds()
    axes: Annotated[tuple[AxisChoice, ...], Field(max_length=20)] = ()
    axis_from: AxisFrom | None = Field(
        default=None, description="the earlier analysis whose efficacy axes score this screen"
    )
    exclusions: Annotated[tuple[Exclusion, ...], Field(max_length=10_000)] | None = Field(
        default=None,
        description="what people left out, by their decisions about this screen; absent: everything that stands "
        "excluded, which is recorded; an empty list leaves out nothing",
    )

    @model_validator(mode="before")
    @classmethod
    def _as_in_the_paper(cls, data: Any) -> Any:  # Any: unchecked JSON, which is validated after this
        """Set what the preset `paper` fixes. Other values beside it would be neither the paper nor the default."""
        if not isinstance(data, Mapping) or data.get("preset") != "paper":
            return data
        # A value that equals the preset's own may be given, as a stored result does.
        other = [name for name, value in PAPER.items() if name in data and data[name] != value]
        if other:
            raise ValueError(f"preset paper fixes {other[0]} at {PAPER[other[0]]}; leave {other[0]} out or the preset")
        if data.get("axis_from") is not None:
            raise ValueError("preset paper fits its own axis; leave axis_from out or the preset")
        return {**data, **PAPER}

    @model_validator(mode="after")
    def _one_scatter(self) -> AnalysisParameters:
        if self.curves.weights != "none" and self.noise.null not in ("automatic", "normal"):
            raise ValueError(
                f"noise.null {self.noise.null} and curves.weights {self.curves.weights} exclude each other: "
                "weights say how each well scatters; leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _equal_weights_of_ratios(self) -> AnalysisParameters:
        if self.curves.weights != "none" and self.curves.reference is not None:
            raise ValueError(
                "curves.reference and curves.weights exclude each other: potency ratios are computed without weights; "
                "leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _distinct_axes(self) -> AnalysisParameters:
        names = [axis.name for axis in self.axes]
        repeated = [name for name in names if names.count(name) > 1]
        if repeated:
            raise ValueError(f"axes: the name {repeated[0]} is used twice; give each axis its own name")
        return self
