"""Answers of the analysis service: pages of lists, axes, compounds, analyses and comparisons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Generic, Literal, TypeVar

from pydantic import Field

from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.curve import Curve, CurveAssessment, Relation
from gandl_shared.schemas.quality import GroupQuality
from gandl_shared.schemas.states import AnalysisState

Item = TypeVar("Item")


class Page(Frozen, Generic[Item]):
    """A part of a list of `total` items: at most `limit` of them, from number `offset` on."""

    items: tuple[Item, ...]
    total: int
    offset: int
    limit: int


class AxisPoint(Frozen):
    """A well in the plane of an axis. `on` is its position along the axis, `off` the signed first component of its
    residual, and `off_distance` the distance of the residual from the two groups. `scaled` is `on` after a scaling that
    puts the mean of the negative group at -1 and of the positive group at +1; for E2 it is the efficacy. `side` is null
    for wells of neither group."""

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
    """One axis with the wells that have vectors. `cell_line` is null if the axis was fitted over all cell lines. `hash`
    identifies the fit. `quality` says how well out-of-fold scores separate the two groups of wells. `note` is a warning
    about the axis, or the reason why there is none (then it has no hash and no points)."""

    name: str
    cell_line: str | None
    positive: Mapping[str, tuple[str, ...]]
    negative: Mapping[str, tuple[str, ...]]
    hash: str | None
    quality: GroupQuality | None
    note: str | None
    points: tuple[AxisPoint, ...]


class ScreenAxes(Frozen):
    """The axes of an analysis: E2 (negative to positive control) of every cell line; for several cell lines, E2-pooled
    and C2 between them; and the axes that the parameters name. `axis_hash` identifies all efficacy axes together;
    analyses with equal hashes share them."""

    screen: str
    version: int
    axis_hash: str
    axes: tuple[Axis, ...]


class CompoundSummary(Frozen):
    """A compound that was tested. `id` is its name, percent-encoded for a path."""

    id: str
    compound: str
    cell_lines: tuple[str, ...]
    screens: tuple[str, ...]


class CompoundCurves(Frozen):
    """Every curve of one compound, each marked with its screen, and what people have set beside these curves."""

    compound: str
    curves: tuple[Curve, ...]
    assessments: tuple[CurveAssessment, ...] = ()


class ExportForm(Frozen):
    """A file that can be taken along from a screen, and the parameters that choose a part of it."""

    name: str
    media_type: str
    meaning: str
    parameters: tuple[str, ...]


class AnalysisVersion(Frozen):
    """One analysis of a screen with its parameters. Its results can be read once it is `done`."""

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
    """A compound in two analyses; values are null for the analysis that does not have it. With the relation `<` or
    `>`, an EC50 is a bound. `log2_ec50_ratio` (second over first) is null unless both have the relation `=`."""

    compound: str
    cell_line: str
    verdicts: tuple[str | None, str | None]
    ec50_um: tuple[float | None, float | None]
    ec50_relations: tuple[Relation | None, Relation | None]
    log2_ec50_ratio: float | None
    emax: tuple[float | None, float | None]


class AnalysisReference(Frozen):
    """One side of a comparison."""

    screen: str
    version: int


class Comparison(Frozen):
    """Two analyses, well by well and curve by curve. `pearson` and `largest_difference` are computed from the wells
    that have an efficacy in both. `same_verdict` counts the curves of both analyses that have equal verdicts."""

    first: AnalysisReference
    second: AnalysisReference
    n_wells: int
    pearson: float | None
    largest_difference: float | None
    n_curves: int
    same_verdict: int
    wells: tuple[WellPair, ...]
    curves: tuple[CurvePair, ...]


class SpriteCell(Frozen):
    """A well in a sprite: the upper left corner of its cell in pixels, and the site that it shows."""

    well: str
    site: str
    x: int
    y: int


class SpriteIndex(Frozen):
    """Where the wells of a plate are in its sprite, a grid of `rows` × `columns` cells of `edge` pixels. A well without
    a thumbnail is not listed, and its cell is dark."""

    plate: str
    rows: int
    columns: int
    edge: int = Field(description="width and height of a cell in pixels")
    wells: tuple[SpriteCell, ...]
