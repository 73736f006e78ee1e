"""Read stored analyses through a small cache. Nothing is computed anew but rankings and comparisons."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from gandl_shared.db import Database
from gandl_shared.errors import Conflict, Invalid, NotFound, Problem
from gandl_shared.plates.tables.names import fold_name
from gandl_shared.schemas.analysis.decisions import Decision
from gandl_shared.schemas.answers import AnalysisReference, Comparison, CompoundSummary, Page, ScreenAxes
from gandl_shared.schemas.curve import Curve, CurveAssessment
from gandl_shared.schemas.screen import Hit, SiteScore, WellScore
from gandl_shared.schemas.states import AnalysisState
from gandl_shared.store import Profiles, Store

from gandl_analysis.figures.pixels.strips import Strips
from gandl_analysis.formats.output_folder import FEATURES
from gandl_analysis.formats.store_layout import (
    TestedCompound,
    axis_files,
    read_analysis,
    read_compounds,
    read_drawings,
    read_sample,
    read_sites,
    read_strips,
    read_tiles,
)
from gandl_analysis.formats.tile_positions import TileSample
from gandl_analysis.formats.tile_scores import TileScore
from gandl_analysis.pipeline.ranking import rank_compounds, with_assessments
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_analysis.report.drawings import StoredDrawings
from gandl_analysis.service.analyses.analysis_cache import AnalysisCache
from gandl_analysis.service.comparison import compare_analyses
from gandl_analysis.service.filters import HitFilter, WellFilter
from gandl_analysis.service.screen_axes import screen_axes
from gandl_analysis.service.screen_ids import require_screen_id

_CACHED_COMPOUND_LISTS = 1000
_CACHED_SITE_TABLES = 2
_NO_SCREEN = Problem("needs the parameter screen", field="version")


@dataclass(frozen=True)
class StoredAnalysis:
    """One version of the analysis of a screen."""

    screen: str
    version: int
    analysis: ScreenAnalysis


@dataclass(frozen=True)
class _TestedCompounds:
    """The compounds and cell lines of one version of the analysis of a screen."""

    screen: str
    version: int
    tested: tuple[TestedCompound, ...]


class Results:
    """Stored analyses by screen and version. `cached` complete ones stay in memory: a stored one never changes.

    A version None is the newest one. Methods raise NotFound, and Conflict while a version has no results.
    """

    def __init__(self, database: Database, store: Store, *, cached: int = 8) -> None:
        self._database, self._store = database, store
        # Whole analyses are large; the lists of compounds are small, and a search reads those of every screen.
        self._analyses = AnalysisCache(lambda screen, version: read_analysis(store, screen, version), cached)
        self._sites = lru_cache(_CACHED_SITE_TABLES)(lambda screen, version: read_sites(store, screen, version))
        self._sample = lru_cache(_CACHED_SITE_TABLES)(lambda screen, version: read_sample(store, screen, version))
        self._tested = lru_cache(_CACHED_COMPOUND_LISTS)(lambda screen, version: read_compounds(store, screen, version))

    def of(self, screen: str, version: int | None = None) -> StoredAnalysis:
        """Return an analysis of a screen."""
        number = finished_version(self._database, screen, version)
        return StoredAnalysis(screen, number, self._analyses.get(screen, number))

    def wells(self, screen: str, version: int | None, selection: WellFilter) -> list[WellScore]:
        """Return the selected wells of a screen in plate map order."""
        return selection.select(self.of(screen, version).analysis.wells)

    def features(self, screen: str) -> bytes:
        """Return `features.csv` of a screen whose vectors are those of a table. Raises NotFound for another one."""
        require_screen_id(screen)
        return self._store.document(screen, FEATURES)

    def drawings(self, screen: str, version: int | None) -> StoredDrawings | None:
        """Return the figures that were drawn when an analysis ended, or None where there are none."""
        return read_drawings(self._store, screen, finished_version(self._database, screen, version))

    def strips(self, screen: str, version: int | None) -> Strips | None:
        """Return the strips of tiles that were made when an analysis ended, or None where there are none."""
        return read_strips(self._store, screen, finished_version(self._database, screen, version))

    def profiles(self, screen: str) -> Profiles:
        """Return the vectors of all tiles of a screen. Raises NotFound where there are none."""
        require_screen_id(screen)
        return self._store.profiles(screen)

    def sites(self, screen: str, version: int | None, selection: WellFilter) -> list[SiteScore]:
        """Return the sites of the selected wells in plate map order."""
        return selection.select(self._sites(screen, finished_version(self._database, screen, version)))

    def tiles(self, screen: str, version: int | None, plate: str, well: str) -> tuple[TileScore, ...]:
        """Return the efficacies of the tiles of a well; none where an older version of gandl analysed the screen."""
        number = finished_version(self._database, screen, version)
        try:
            return read_tiles(self._store, screen, number, plate, well)
        except NotFound:
            return ()

    def tile_sample(self, screen: str, version: int | None) -> TileSample | None:
        """Return the sample of tiles of an analysis; None where an older version of gandl analysed the screen."""
        return self._sample(screen, finished_version(self._database, screen, version))

    def hits(self, screen: str, version: int | None, selection: HitFilter) -> list[Hit]:
        """Return the selected compounds of a screen, best first."""
        hits = rank_compounds(self.of(screen, version).analysis.curves)
        return selection.select(with_assessments(hits, self._database.decisions.assessments(screen)))

    def decisions(self, screen: str) -> tuple[Decision, ...]:
        """Return the decisions of people about a screen, oldest first."""
        return self._database.decisions.of_screen(require_screen_id(screen))

    def screen_assessments(self, screen: str) -> tuple[CurveAssessment, ...]:
        """Return what people have set beside the curves of a screen."""
        return self._database.decisions.assessments(require_screen_id(screen))

    def axis_files(self, screen: str, version: int | None) -> Mapping[str, bytes]:
        """Return the files of the fitted axes of an analysis by name, as `gandl screen` writes them."""
        return axis_files(self._store, screen, finished_version(self._database, screen, version))

    def assessments(self, curves: Iterable[Curve]) -> tuple[CurveAssessment, ...]:
        """Return what people have set beside these curves, each of which is marked with its screen."""
        keys = dict.fromkeys((curve.screen, curve.compound, curve.cell_line) for curve in curves)
        screens = dict.fromkeys(screen for screen, _, _ in keys if screen is not None)
        standing = [a for screen in screens for a in self._database.decisions.assessments(screen)]
        return tuple(a for a in standing if (a.screen, a.compound, a.cell_line) in keys)

    def axes(self, screen: str, version: int | None, names: Collection[str]) -> ScreenAxes:
        """Return the axes of a screen with their wells as points; no names select all axes."""
        stored = self.of(screen, version)
        return screen_axes(stored.screen, stored.version, stored.analysis, names)

    def comparison(self, screen: str, version: int | None, other: str, other_version: int | None) -> Comparison:
        """Compare two analyses well by well and curve by curve."""
        first, second = self.of(screen, version), self.of(other, other_version)
        return compare_analyses(
            first.analysis,
            second.analysis,
            first_id=AnalysisReference(screen=first.screen, version=first.version),
            second_id=AnalysisReference(screen=second.screen, version=second.version),
        )

    def compounds(
        self, screen: str | None, cell_line: str | None, name_part: str | None, *, offset: int, limit: int
    ) -> Page[CompoundSummary]:
        """Return tested compounds by name, of all screens that have results or of one. Case does not matter in
        `name_part`."""
        # All entries are collected before the page is cut, because the order is by name and not by screen.
        entries: dict[str, list[tuple[str, TestedCompound]]] = defaultdict(list)
        part = fold_name(name_part or "").casefold()
        for source in self._sources(screen, None):
            for tested in source.tested:
                if cell_line in (None, tested.cell_line) and part in fold_name(tested.compound).casefold():
                    entries[tested.compound].append((source.screen, tested))
        names = sorted(entries, key=lambda name: (name.casefold(), name))
        items = tuple(_summary(name, entries[name]) for name in names[offset : offset + limit])
        return Page[CompoundSummary](items=items, total=len(names), offset=offset, limit=limit)

    def curves(
        self, compound: str, screen: str | None = None, cell_line: str | None = None, version: int | None = None
    ) -> tuple[Curve, ...]:
        """Return every curve of a compound, newest screen first, each marked with its screen.

        Raises Invalid for a version without a screen.
        """
        if version is not None and screen is None:
            raise Invalid("a version counts within a screen; name the screen", problems=[_NO_SCREEN])
        # Names are folded when a plate map is read, and a name that a person types may have another Unicode form.
        name = fold_name(compound)
        curves = [
            curve.model_copy(update={"screen": source.screen})
            for source in self._sources(screen, version)
            # The list of compounds is small and cached, so only results that have the compound are read.
            if any(fold_name(tested.compound) == name for tested in source.tested)
            for curve in self._analyses.get(source.screen, source.version).curves
            if fold_name(curve.compound) == name and cell_line in (None, curve.cell_line)
        ]
        if not curves:
            in_screen = f" in screen '{screen}'" if screen else ""
            and_line = f" and cell line '{cell_line}'" if cell_line else ""
            raise NotFound(
                f"there is no curve of '{compound}'{in_screen}{and_line}; GET /compounds lists the tested compounds"
            )
        return tuple(curves)

    def _sources(self, screen: str | None, version: int | None) -> Iterator[_TestedCompounds]:
        """Yield what was tested: in the named screen, or in every screen with results, newest first."""
        if screen is not None:
            number = finished_version(self._database, screen, version)
            yield _TestedCompounds(screen, number, self._tested(screen, number))
            return
        for status in self._database.screens.statuses():
            if status.analysis_version is None:
                continue
            try:
                tested = self._tested(status.id, status.analysis_version)
            except NotFound:
                # The screen was deleted after it was listed.
                continue
            yield _TestedCompounds(status.id, status.analysis_version, tested)


def finished_version(database: Database, screen: str, version: int | None) -> int:
    """Return the newest version with results for None, or the given version. Raises NotFound, Conflict."""
    require_screen_id(screen)
    if version is not None:
        record = database.analyses.get(screen, version)
        if record.state is not AnalysisState.DONE:
            raise Conflict(f"analysis {version} of screen '{screen}' is {record.state}; it has no results")
        return version
    status = database.screens.status(screen)
    if status.analysis_version is None:
        raise Conflict(f"screen '{screen}' is {status.state.value}; it has no results yet")
    return status.analysis_version


def _summary(name: str, entries: list[tuple[str, TestedCompound]]) -> CompoundSummary:
    return CompoundSummary(
        id=quote(name, safe=""),
        compound=name,
        cell_lines=tuple(dict.fromkeys(tested.cell_line for _, tested in entries)),
        screens=tuple(dict.fromkeys(screen for screen, _ in entries)),
    )
