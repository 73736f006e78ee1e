"""Answers of the analysis service that are no screen, curve or quality by themselves: pages, axes, compounds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Literal, TypeVar

from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.quality import GroupQuality
from gandl_shared.schemas.states import AnalysisState

Item = TypeVar("Item")


class Page(Frozen, Generic[Item]):
    """`items` number `offset` to `offset + len(items)` of `total`, at most `limit` of them."""

    items: tuple[Item, ...]
    total: int
    offset: int
    limit: int


class AxisPoint(Frozen):
    """A well in the plane of an axis: `on` along it, `off` the signed first component of the remainder, `off_distance`
    the distance of the remainder from the two groups. `scaled` is `on` with the mean of the negative group at -1 and of
    the positive one at +1: for E2 the efficacy. `side` is null for wells of neither group."""

    plate: str
    well: str
    role: str
    compound: str | None
    concentration_um: float | None
    cell_line: str
    side: Literal["positive", "negative"] | None
    on: float
    scaled: float | None
    off: float | None
    off_distance: float | None


class Axis(Frozen):
    """One axis with the wells that have vectors. `cell_line` is null where it was fitted over all of them. `hash` names
    the fit. `quality` is how well the two groups of wells are told apart by axes that have not seen them. `note` says
    what to keep in mind, or why there is no axis (no hash, no points)."""

    name: str
    cell_line: str | None
    positive: Mapping[str, tuple[str, ...]]
    negative: Mapping[str, tuple[str, ...]]
    hash: str | None
    quality: GroupQuality | None
    note: str | None
    points: tuple[AxisPoint, ...]


class ScreenAxes(Frozen):
    """E2 (negative to positive control) of every cell line; where there are several, E2-pooled and C2 between them; and
    the axes that were asked for. `axis_hash` names the efficacy axes together; analyses with equal hashes share them.
    """

    screen: str
    version: int
    axis_hash: str
    axes: tuple[Axis, ...]


class CompoundSummary(Frozen):
    """A compound that was tested. `id` is the name percent-encoded, as it stands in a path."""

    id: str
    compound: str
    cell_lines: tuple[str, ...]
    screens: tuple[str, ...]


class CompoundCurves(Frozen):
    """Every curve of one compound, each marked with its screen."""

    compound: str
    curves: tuple[Curve, ...]


class AnalysisVersion(Frozen):
    """One analysis of a screen, and what it was asked for. Results can be read once it is `done`."""

    screen: str
    version: int
    state: AnalysisState
    parameters: AnalysisParameters
    error: str | None
    created_at: str
    finished_at: str | None


class WellPair(Frozen):
    """The efficacy of one well in two analyses; `difference` is the second minus the first."""

    plate: str
    well: str
    first: float | None
    second: float | None
    difference: float | None


class CurvePair(Frozen):
    """A compound in two analyses, null where it is in one only. `log2_ec50_ratio` (second over first) is null unless
    both have an EC50 with relation `=`."""

    compound: str
    cell_line: str
    verdicts: tuple[str | None, str | None]
    ec50_um: tuple[float | None, float | None]
    log2_ec50_ratio: float | None
    emax: tuple[float | None, float | None]


class Compared(Frozen):
    """One side of a comparison."""

    screen: str
    version: int


class Comparison(Frozen):
    """Two analyses, well by well and curve by curve. `pearson` and `largest_difference` are over the wells that have
    an efficacy in both; `same_verdict` counts the curves of both with one verdict."""

    first: Compared
    second: Compared
    n_wells: int
    pearson: float | None
    largest_difference: float | None
    n_curves: int
    same_verdict: int
    wells: tuple[WellPair, ...]
    curves: tuple[CurvePair, ...]
