"""Parameters that routes take from the path, the query and the headers, and the forms of answers they document."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Any, TypeVar

from fastapi import Header, Path
from gandl_shared.schemas.answers import Page
from gandl_shared.schemas.headers import IDEMPOTENCY_KEY
from gandl_shared.schemas.vocabulary import Role, Verdict
from gandl_shared.web.query import QueryModel
from pydantic import Field

from gandl_analysis.service.filters import HitFilter, WellFilter

T = TypeVar("T")

MAX_ITEMS = 10_000
# PostgreSQL refuses a larger number where a column has 32 bits, which would be a fault of ours instead of a 422.
MAX_INTEGER = 2**31 - 1

ScreenId = Annotated[str, Path(alias="id", description="id of the screen, from `POST /screens`", max_length=200)]
OtherScreenId = Annotated[str, Path(description="id of a screen, the same one to compare two of its analyses")]
CompoundName = Annotated[
    str, Path(alias="id", description="name of the compound, percent-encoded (`/` is `%2F`)", max_length=500)
]
RequestName = Annotated[
    str | None,
    Header(
        alias=IDEMPOTENCY_KEY,
        pattern=r"^[\x21-\x7e]{1,200}$",
        description="a name of this request; sent again with the same name, it answers the screen of the first time",
    ),
]
Accept = Annotated[str | None, Header(include_in_schema=False)]

# PostgreSQL cannot store NUL, so text with it is refused before it reaches a query.
Text = Annotated[str, Field(max_length=500, pattern=r"^[^\x00]*$")]
Version = Annotated[
    int | None, Field(ge=1, le=MAX_INTEGER, description="version of the analysis; the newest if absent")
]


# The names of the fields are the names in the query, also where the code would prefer another one.
class PageQuery(QueryModel):
    """Which part of a list a page shows. CSV always has all rows."""

    limit: int = Field(default=100, ge=1, le=MAX_ITEMS, description="most items of the page")
    offset: int = Field(default=0, ge=0, le=MAX_INTEGER, description="items to leave out first")

    def page(self, items: Sequence[T]) -> Page[T]:
        """Return the page of a complete list."""
        part = tuple(items[self.offset : self.offset + self.limit])
        return Page[T](items=part, total=len(items), offset=self.offset, limit=self.limit)


class VersionQuery(QueryModel):
    """Which analysis of a screen is read."""

    version: Version = None


class AxesQuery(QueryModel):
    """Which axes of which analysis are read."""

    axis: list[Text] | None = Field(default=None, description="names of axes, such as E2 or C2; all if absent")
    version: Version = None


class ComparisonQuery(VersionQuery):
    """Which analyses of the two screens are compared."""

    other_version: Version = None


class _WellFields(QueryModel):
    role: Role | None = None
    plate: Text | None = None
    cell_line: Text | None = None
    compound: Text | None = None


# Pydantic lists the fields of the last base first; the specification keeps that order.
class WellsQuery(PageQuery, _WellFields, VersionQuery):
    """Which wells of which analysis are read: all, or those of a role, plate, cell line or compound."""

    @property
    def filter(self) -> WellFilter:
        """The filter of the service."""
        return WellFilter(role=self.role, plate=self.plate, cell_line=self.cell_line, compound=self.compound)


class _HitFields(QueryModel):
    cell_line: Text | None = None
    verdict: list[Verdict] | None = None
    max_q: float | None = Field(default=None, ge=0, le=1)
    min_emax: float | None = Field(default=None, allow_inf_nan=False)


class HitsQuery(PageQuery, _HitFields, VersionQuery):
    """Which hits of which analysis are read; `verdict` may be sent several times."""

    @property
    def filter(self) -> HitFilter:
        """The filter of the service."""
        verdicts = frozenset(self.verdict) if self.verdict else None
        return HitFilter(cell_line=self.cell_line, verdicts=verdicts, max_q=self.max_q, min_emax=self.min_emax)


class _CompoundFields(QueryModel):
    screen: Text | None = None
    cell_line: Text | None = None
    q: Text | None = Field(default=None, description="part of the name, in any case")


class CompoundsQuery(PageQuery, _CompoundFields):
    """Which compounds are listed."""


class CurveTable(StrEnum):
    """The CSV tables of curves, as in the files `dose_response….csv` of a screen."""

    CURVES = "curves"
    WELLS = "wells"
    LINES = "lines"
    COVARIANCES = "covariances"


class CurvesQuery(QueryModel):
    """Which curves of a compound are read."""

    screen: Text | None = None
    cell_line: Text | None = None
    version: Version = None
    points: bool = Field(default=False, description="the same as `table=wells`")
    table: CurveTable = Field(
        default=CurveTable.CURVES,
        description="CSV with one row per curve, per well, per point of the line with its band, or per pair of "
        "parameters with their covariance",
    )

    @property
    def shown_table(self) -> CurveTable:
        """The table that is meant."""
        return CurveTable.WELLS if self.points else self.table


def content(*media: str) -> dict[int | str, dict[str, Any]]:  # Any: FastAPI's own type for `responses`
    """Return `responses` that add these media types to a route's JSON answer."""
    return {200: {"content": {name: {"schema": {"type": "string"}} for name in media}}}
