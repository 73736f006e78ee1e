"""What an analysis of a screen answers: one frozen value that is stored, served, plotted and written as files."""

from __future__ import annotations

from collections.abc import Mapping

from gandl_shared.models import ModelCard
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.quality import Quality
from gandl_shared.schemas.screen import ParkedSite, ScreenLimits, WellScore
from pydantic import BaseModel, ConfigDict


class Provenance(BaseModel):
    """Everything that decided the numbers. `limits` are per plate; `model_id` is the SHA-256 of the model file."""

    model_config = ConfigDict(frozen=True)

    gandl_version: str
    screen_name: str
    model_id: str
    model: ModelCard
    parameters: AnalysisParameters
    limits: Mapping[str, ScreenLimits]
    plate_map: str
    n_sites: int
    n_tiles: int
    axis_hash: str


class ScreenAnalysis(BaseModel):
    """Wells in plate map order, curves by cell line and compound, quality out-of-fold, and where it comes from."""

    model_config = ConfigDict(frozen=True)

    wells: tuple[WellScore, ...]
    curves: tuple[Curve, ...]
    quality: Quality
    parked: tuple[ParkedSite, ...]
    provenance: Provenance
