"""What can be chosen about an analysis. The stored result carries these, so it can be repeated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.vocabulary import ImageReason

Whitening = Literal["within_class", "negative_controls", "none", "raw"]
Normalisation = Literal["none", "standardise", "align"]
Preset = Literal["default", "paper"]

_Text = Annotated[str, Field(min_length=1, max_length=200, pattern=r"^[^\x00]*$")]
Wells = Annotated[
    Mapping[_Text, Annotated[tuple[_Text, ...], Field(min_length=1, max_length=10_000)]],
    Field(min_length=1, max_length=20, description="columns of the plate map, and the values a well may have in each"),
]

PAPER: Mapping[str, object] = {"whitening": "raw", "normalisation": "none", "regularisation": 1.0}
"""What the preset `paper` fixes. The paper does not give C: 1 is the default of the SVMs it used."""


class AxisChoice(Frozen):
    """An axis between any two groups of wells, from `negative` (-1) to `positive` (+1). A well belongs to a group if it
    has one of the values in every column named: `plate`, `well`, `role`, `compound`, `concentration_um`, `cell_line`,
    or any further column of the plate map."""

    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$")]
    positive: Wells
    negative: Wells
    within: Literal["cell_line"] | None = Field(default=None, description="fitted in each cell line by itself")

    @model_validator(mode="after")
    def _free_name(self) -> AxisChoice:
        if self.name.startswith(("E2", "C2")):
            raise ValueError(f"the name {self.name} is taken: names that begin with E2 or C2 are gandl's own")
        return self


class AxisFrom(Frozen):
    """The efficacy axes of an earlier analysis. Without a version: of the newest, which is then noted."""

    screen: _Text
    version: Annotated[int, Field(ge=1, le=2**31 - 1)] | None = None


class QualityThresholds(Frozen):
    """`good` and `usable`: least Z′ (the worse of Z′ and its robust form); `controls`: fewest wells of each class for a
    verdict; `chance`: what the lower bound of the wells' accuracy must exceed."""

    good: Annotated[float, Field(le=1)] = 0.5
    usable: Annotated[float, Field(le=1)] = 0.0
    controls: Annotated[int, Field(ge=2, le=10_000)] = 4
    chance: Annotated[float, Field(ge=0, lt=1)] = 0.5

    @model_validator(mode="after")
    def _ordered(self) -> QualityThresholds:
        if self.usable > self.good:
            raise ValueError(f"usable {self.usable:g} lies above good {self.good:g}; give usable at or below good")
        return self


class ImageQcParameters(Frozen):
    """Thresholds of image QC, and which sites it leaves out (docs/axes-and-quality.md has the rule and the evidence).
    Sites that fail otherwise are listed and used."""

    structure: Annotated[float, Field(ge=0, allow_inf_nan=False)] = Field(
        default=1.5, description="a site is empty if no channel has as much; 1 is pure noise"
    )
    saturation: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.05, description="a site is saturated if a channel has a larger share of pixels at the upper limit"
    )
    overexposed: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="a site is overexposed if a channel has a larger share of pixels at the upper limit"
    )
    focus: Annotated[float, Field(gt=0, allow_inf_nan=False)] = Field(
        default=4.0, description="robust standard deviations of sharpness below the sites of its plate and cell line"
    )
    blank: Annotated[float, Field(ge=0, le=255, allow_inf_nan=False)] = Field(
        default=8.0, description="a tile of less contrast shows no cell and is left out where its well has others"
    )
    exclude: tuple[ImageReason, ...] = Field(
        default=(ImageReason.EMPTY, ImageReason.OVEREXPOSED),
        description="sites that fail so are left out of axes and wells",
    )


class AnalysisParameters(Frozen):
    """Choices of an analysis; the defaults are the ones measured to be best (docs/axes-and-quality.md)."""

    preset: Preset = Field(default="default", description="`paper`: as the paper did it, for comparison only")
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    whitening: Whitening = "within_class"
    regularisation: Annotated[float, Field(gt=0, le=1e6)] = Field(default=1e-3, description="C of the SVM, a tile")
    normalisation: Normalisation = Field(
        default="none", description="by the negative controls of each plate; `align` and `negative_controls` are TVN"
    )
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(default=0.05, description="level of q for an active compound")
    image_qc: ImageQcParameters = ImageQcParameters()
    quality: QualityThresholds = QualityThresholds()
    axes: Annotated[tuple[AxisChoice, ...], Field(max_length=20)] = ()
    axis_from: AxisFrom | None = Field(default=None, description="score by the efficacy axes of an earlier screen")

    @model_validator(mode="before")
    @classmethod
    def _as_in_the_paper(cls, given: Any) -> Any:  # Any: whatever came as JSON, checked after this
        """The preset fixes what the paper fixed; something else beside it would be neither."""
        if not isinstance(given, Mapping) or given.get("preset") != "paper":
            return given
        other = [name for name, value in PAPER.items() if name in given and given[name] != value]
        if other:
            raise ValueError(f"preset paper fixes {other[0]} at {PAPER[other[0]]}; leave {other[0]} out or the preset")
        if given.get("axis_from") is not None:
            raise ValueError("preset paper fits its own axis; leave axis_from out or the preset")
        return {**given, **PAPER}

    @model_validator(mode="after")
    def _distinct_axes(self) -> AnalysisParameters:
        names = [axis.name for axis in self.axes]
        twice = [name for name in names if names.count(name) > 1]
        if twice:
            raise ValueError(f"axes: the name {twice[0]} is there twice; give each axis its own")
        return self
