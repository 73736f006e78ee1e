"""The result of the analysis of a screen: frozen values that are stored, served, plotted and written as files.

A field that a later version may have stored is ignored when a result is read.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gandl_science.arrays import Float
from gandl_science.axis.anchors import AnchorSource
from gandl_science.axis.fitted import AxisFit
from gandl_shared.models import TableCard, VectorCard
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.image_layout import ImageLayout
from gandl_shared.schemas.limits import IntensityLimits, PlateIntensities
from gandl_shared.schemas.quality import GroupQuality, Quality
from gandl_shared.schemas.screen import ParkedSite, SiteScore, WellScore
from pydantic import Field

Numbers = tuple[float | None, ...]


class EfficacyAxis(Frozen, extra="ignore"):
    """The axis of the efficacies of a cell line; `cell_line` is null where all cell lines share one.

    `fitted_on` names the screen on which the axis was fitted, and `anchors` the wells whose means are -1 and +1.
    """

    cell_line: str | None
    hash: str
    fitted_on: str
    anchors: AnchorSource


class VectorProvenance(Frozen, extra="ignore"):
    """How the vectors of a screen were computed.

    `model` is the card of the model or of the table that they come from. `model_id` is the SHA-256 of the model file,
    or of what decides the meaning of a table's features. `limits` are the intensity limits by plate, and `limits_from`
    says where the limits come from. `image_layout` says how the images were read and which channel feeds which input;
    it is null for screens of older versions.
    `intensities` tells how the pixels of each plate lie in its limits, and is empty for such screens. `numerics` are
    the codes of how the vectors were computed (`gandl_shared.models.numerics`); earlier versions did not record them.
    """

    screen_name: str
    model_id: str
    model: VectorCard
    limits: Mapping[str, IntensityLimits]
    limits_from: str
    image_layout: ImageLayout | None = None
    intensities: Mapping[str, PlateIntensities] = Field(default_factory=dict)
    numerics: tuple[str, ...] = ()

    @property
    def table(self) -> TableCard | None:
        """The table that the vectors come from; None where a model computed them from images."""
        return self.model if isinstance(self.model, TableCard) else None


class AnalysisProvenance(VectorProvenance):
    """Everything that decided the numbers of an analysis. `plate_map` is the SHA-256 of the wells."""

    limits_from: str = "plate"
    gandl_version: str
    parameters: AnalysisParameters
    plate_map: str
    n_sites: int
    n_tiles: int
    axis_hash: str
    efficacy_axes: tuple[EfficacyAxis, ...] = ()


class AxisScores(Frozen, extra="ignore"):
    """One axis with its wells, stored in columns (`schemas.answers.Axis` is the same with one record per well).

    `wells` are indices of the wells of the analysis. The columns have the order of `wells` and hold null where a number
    does not exist. `side` is +1, -1 or 0.
    """

    name: str
    cell_line: str | None
    positive: Mapping[str, tuple[str, ...]]
    negative: Mapping[str, tuple[str, ...]]
    hash: str | None = None
    quality: GroupQuality | None = None
    note: str | None = None
    wells: tuple[int, ...] = ()
    side: tuple[int, ...] = ()
    on: Numbers = ()
    scaled: Numbers = ()
    off: Numbers = ()
    off_distance: Numbers = ()


class ScreenAnalysis(Frozen, extra="ignore"):
    """Wells in plate map order, curves by cell line and compound, quality, axes, provenance, and what was assumed."""

    wells: tuple[WellScore, ...]
    curves: tuple[Curve, ...]
    quality: Quality
    parked: tuple[ParkedSite, ...]
    provenance: AnalysisProvenance
    axes: tuple[AxisScores, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Analysed:
    """An analysis and what is stored beside it.

    `sites` are the scores of sites in plate map order. `tile_efficacy` [N] is the efficacy of every tile of the
    profiles, NaN for a tile of no used well, and `tile_positions` [N] are the same for other axes (`axis:C2`), and
    beside the efficacy axis (`off`). `fits` are the fitted axes by the stem of their file.
    """

    analysis: ScreenAnalysis
    sites: tuple[SiteScore, ...]
    tile_efficacy: Float
    fits: Mapping[str, AxisFit]
    tile_positions: Mapping[str, Float] = field(default_factory=dict)
