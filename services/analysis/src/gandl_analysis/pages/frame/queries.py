"""Query parameters of pages, which keep what a reader has chosen in the address."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query

from gandl_analysis.api.parameters import MAX_INTEGER

PageVersion = Annotated[
    int | None, Query(ge=1, le=MAX_INTEGER, description="version of the analysis; the newest if absent")
]
