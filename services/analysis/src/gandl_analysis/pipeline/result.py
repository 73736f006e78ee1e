"""What an analysis of a screen answers: frozen values that are stored, served, plotted and written as files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from gandl_science.axis.anchors import AnchorSource
from gandl_science.axis.fitted import AxisFit
from gandl_shared.models import ModelCard
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.quality import GroupQuality, Quality
from gandl_shared.schemas.screen import ParkedSite, SiteScore, WellScore
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

Numbers = tuple[float | None, ...]


class EfficacyAxis(BaseModel):
    """Where the efficacies of a cell line (null: of all of them) come from. `fitted_on` names the screen of the axis,
    `anchors` the wells that stand for -1 and +1."""

    model_config = ConfigDict(frozen=True)

    cell_line: str | None
    hash: str
    fitted_on: str
    anchors: AnchorSource


class Provenance(BaseModel):
    """Everything that decided the numbers. `limits` are per plate, `limits_from` is where they come from; `model_id` is
    the SHA-256 of the model file."""

    model_config = ConfigDict(frozen=True)

    gandl_version: str
    screen_name: str
    model_id: str
    model: ModelCard
    parameters: AnalysisParameters
    limits: Mapping[str, IntensityLimits]
    limits_from: str = "plate"
    plate_map: str
    n_sites: int
    n_tiles: int
    axis_hash: str
    efficacy_axes: tuple[EfficacyAxis, ...] = ()


class AxisScores(BaseModel):
    """One named axis as it is stored: `schemas.answers.Axis` with its points in columns. `wells` are indices of the
    wells of the analysis; the columns, in their order, hold null where there is no such number. `side` is +1, -1, 0."""

    model_config = ConfigDict(frozen=True)

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


class ScreenAnalysis(BaseModel):
    """Wells in plate map order, curves by cell line and compound, quality, axes, and where it comes from."""

    model_config = ConfigDict(frozen=True)

    wells: tuple[WellScore, ...]
    curves: tuple[Curve, ...]
    quality: Quality
    parked: tuple[ParkedSite, ...]
    provenance: Provenance
    axes: tuple[AxisScores, ...] = ()


@dataclass(frozen=True)
class Analysed:
    """An analysis and what is kept beside it: the scores of sites in plate map order, the efficacy [N] of every tile of
    the profiles (NaN for one that belongs to no well), and the fitted axes by the stem of their file."""

    analysis: ScreenAnalysis
    sites: tuple[SiteScore, ...]
    tile_efficacy: NDArray[np.float64]
    fits: Mapping[str, AxisFit]
