"""Parameters and documented contents that several routes share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from fastapi import Header, Path, Query
from gandl_shared.schemas.answers import Page
from pydantic import Field

T = TypeVar("T")

_NO_NUL = r"^[^\x00]*$"

ScreenId = Annotated[str, Path(alias="id", description="id of the screen, from `POST /screens`", max_length=200)]
CompoundName = Annotated[
    str, Path(alias="id", description="name of the compound, percent-encoded (`/` is `%2F`)", max_length=500)
]
Version = Annotated[int | None, Query(ge=1, le=2**31 - 1, description="version of the analysis; the newest if absent")]
Text = Annotated[str | None, Query(max_length=500, pattern=_NO_NUL)]
AxisName = Annotated[str, Field(max_length=500, pattern=_NO_NUL)]
Accept = Annotated[str | None, Header(include_in_schema=False)]


@dataclass(frozen=True)
class Window:
    """Which part of a list a page shows. CSV is never cut."""

    limit: Annotated[int, Query(ge=1, le=10_000, description="most items of the page")] = 100
    offset: Annotated[int, Query(ge=0, le=2**31 - 1, description="items to leave out first")] = 0

    def page(self, items: Sequence[T]) -> Page[T]:
        """The page of a list that is here as a whole."""
        chosen = tuple(items[self.offset : self.offset + self.limit])
        return Page[T](items=chosen, total=len(items), offset=self.offset, limit=self.limit)


def content(*media: str) -> dict[int | str, dict[str, Any]]:  # Any: FastAPI's own type for `responses`
    """`responses` that add these media types to a route's JSON answer."""
    return {200: {"content": {name: {"schema": {"type": "string"}} for name in media}}}
