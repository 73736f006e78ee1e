"""The parameters of an analysis, what people leave out of it, and their decisions about its results."""

from gandl_shared.schemas.analysis.exclusions import ExcludedItem, Exclusion, ExclusionLevel
from gandl_shared.schemas.analysis.parameters import (
    PAPER,
    AnalysisParameters,
    AxisChoice,
    AxisFrom,
    ImageQcParameters,
    NoiseParameters,
    Normalisation,
    Null,
    Preset,
    QualityThresholds,
    Wells,
    Whitening,
)

__all__ = [
    "PAPER",
    "AnalysisParameters",
    "AxisChoice",
    "AxisFrom",
    "ExcludedItem",
    "Exclusion",
    "ExclusionLevel",
    "ImageQcParameters",
    "NoiseParameters",
    "Normalisation",
    "Null",
    "Preset",
    "QualityThresholds",
    "Wells",
    "Whitening",
]
