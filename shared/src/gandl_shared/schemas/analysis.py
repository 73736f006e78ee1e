"""What can be chosen about an analysis. The stored result carries these, so it can be repeated."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field


class AnalysisParameters(BaseModel):
    """Choices of an analysis; the defaults are the ones measured to be best (docs/axes-and-quality.md)."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    whitening: Literal["within_class", "negative_controls", "none"] = "within_class"
    alpha: Annotated[float, Field(gt=0, lt=1)] = Field(default=0.05, description="level of q for an active compound")
