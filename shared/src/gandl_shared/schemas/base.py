"""The base class of every schema: frozen values that refuse fields they do not know."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Frozen(BaseModel):
    """A value that cannot be changed after it was checked. An unknown field is an error, so that a misspelt one is not
    ignored in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")
