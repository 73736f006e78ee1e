"""Assay quality, as `quality.json` and `GET /screens/{id}/quality` give it. All from out-of-fold scores."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


Share = Annotated[float, Field(ge=0, le=1)]


class GroupQuality(_Frozen):
    """How well control wells are told apart, in a cell line or on a plate. A figure that needs more wells is null."""

    z_prime: float | None
    z_prime_robust: float | None
    ssmd: float | None
    v_factor: float | None = Field(description="1 - 6 × mean within-dose spread of treatments / control distance")
    roc_auc: Share | None
    accuracy: Share | None = Field(
        description="share of control tiles on their side of the axis that has not seen them"
    )
    n_positive: int
    n_negative: int
    grouped_by: str | None = Field(default=None, description="what was held out together: plate, row or well")


class Quality(_Frozen):
    """By cell line and by plate."""

    cell_lines: Mapping[str, GroupQuality]
    plates: Mapping[str, GroupQuality]
