"""What is asked of stored analyses. They are read from the store through a small cache; nothing is computed anew."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import quote

from gandl_shared.db import Database
from gandl_shared.errors import Conflict, Invalid, NotFound, Problem
from gandl_shared.schemas.answers import Axis, AxisPoint, CompoundSummary, Page, ScreenAxes
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import Hit, SiteScore, WellScore
from gandl_shared.schemas.states import AnalysisState
from gandl_shared.store import Store

from gandl_analysis.formats.store_layout import Tested, read_analysis, read_sites, read_tested
from gandl_analysis.pipeline.ranking import rank_compounds
from gandl_analysis.pipeline.result import AxisScores, ScreenAnalysis
from gandl_analysis.service.filters import HitFilter, WellFilter

_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")
_INDICES = 1000
_PLACE = ("plate", "well", "role", "compound", "concentration_um", "cell_line")
_NO_SCREEN = Problem("needs the parameter screen", field="version")


@dataclass(frozen=True)
class StoredAnalysis:
    """One version of the analysis of a screen."""

    screen: str
    version: int
    analysis: ScreenAnalysis


class Results:
    """Stored analyses by screen and version. `cached` whole ones are kept in memory: a stored one never changes."""

    def __init__(self, database: Database, store: Store, *, cached: int = 8) -> None:
        self._database = database
        self._analysis = lru_cache(maxsize=cached)(lambda screen, version: read_analysis(store, screen, version))
        self._sites = lru_cache(maxsize=2)(lambda screen, version: read_sites(store, screen, version))
        self._tested = lru_cache(maxsize=_INDICES)(lambda screen, version: read_tested(store, screen, version))

    def of(self, screen: str, version: int | None = None) -> StoredAnalysis:
        """The newest analysis of a screen, or that version. Raises NotFound, and Conflict while it is not done."""
        number = self._version(known_id(screen), version)
        return StoredAnalysis(screen, number, self._analysis(screen, number))

    def wells(self, screen: str, version: int | None, selection: WellFilter) -> list[WellScore]:
        """Return the selected wells of a screen in plate map order. Raises as `of`."""
        return selection.select(self.of(screen, version).analysis.wells)

    def sites(self, screen: str, version: int | None, selection: WellFilter) -> list[SiteScore]:
        """Return the sites of the selected wells in plate map order. Raises as `of`."""
        return selection.select(self._sites(screen, self._version(known_id(screen), version)))

    def hits(self, screen: str, version: int | None, selection: HitFilter) -> list[Hit]:
        """Return the selected compounds of a screen, best first. Raises as `of`."""
        return selection.select(rank_compounds(self.of(screen, version).analysis.curves))

    def compounds(
        self, screen: str | None, cell_line: str | None, name_part: str | None, *, offset: int, limit: int
    ) -> Page[CompoundSummary]:
        """Tested compounds by name, over all screens that have results or in one; `name_part` in any case."""
        found: dict[str, list[tuple[str, Tested]]] = defaultdict(list)
        part = (name_part or "").casefold()
        for each, _, all_tested in self._searched(screen, None):
            for tested in all_tested:
                if cell_line in (None, tested.cell_line) and part in tested.compound.casefold():
                    found[tested.compound].append((each, tested))
        names = sorted(found, key=lambda name: (name.casefold(), name))
        items = tuple(_summary(name, found[name]) for name in names[offset : offset + limit])
        return Page[CompoundSummary](items=items, total=len(names), offset=offset, limit=limit)

    def curves(
        self, compound: str, screen: str | None = None, cell_line: str | None = None, version: int | None = None
    ) -> tuple[Curve, ...]:
        """Every curve of a compound, newest screen first, each marked with its screen.

        Raises NotFound, Conflict, and Invalid for a version of no screen.
        """
        if version is not None and screen is None:
            raise Invalid("a version counts within a screen; say which screen", problems=[_NO_SCREEN])
        curves = [
            curve.model_copy(update={"screen": each})
            for each, number, all_tested in self._searched(screen, version)
            if any(tested.compound == compound for tested in all_tested)
            for curve in self._analysis(each, number).curves
            if curve.compound == compound and cell_line in (None, curve.cell_line)
        ]
        if not curves:
            where = f" in screen '{screen}'" if screen else ""
            line = f" and cell line '{cell_line}'" if cell_line else ""
            raise NotFound(f"there is no curve of '{compound}'{where}{line}; GET /compounds lists what was tested")
        return tuple(curves)

    def _searched(self, screen: str | None, version: int | None) -> Iterator[tuple[str, int, tuple[Tested, ...]]]:
        """Screen, version and what was tested: of the screen that is named, else of all with a result, newest first."""
        if screen is not None:
            number = self._version(known_id(screen), version)
            yield screen, number, self._tested(screen, number)
            return
        for status in self._database.screens.statuses():
            if status.analysis_version is not None:
                try:
                    tested = self._tested(status.id, status.analysis_version)
                except NotFound:  # deleted since it was listed
                    continue
                yield status.id, status.analysis_version, tested

    def _version(self, screen: str, version: int | None) -> int:
        return finished_version(self._database, screen, version)


def finished_version(database: Database, screen: str, version: int | None) -> int:
    """The newest version with results, or the one that is named. Raises NotFound, Conflict while it has none."""
    known_id(screen)
    if version is not None:
        record = database.analyses.get(screen, version)
        if record.state is not AnalysisState.DONE:
            raise Conflict(f"analysis {version} of screen '{screen}' is {record.state}; it has no results")
        return version
    status = database.screens.status(screen)
    if status.analysis_version is None:
        raise Conflict(f"screen '{screen}' is {status.state.value}; it has no results yet")
    return status.analysis_version


def known_id(screen: str) -> str:
    """The id, if it can be one. Raises NotFound for anything else, before a database or a path sees it."""
    if not _ID.fullmatch(screen):
        raise NotFound(f"there is no screen '{screen[:80]}'")
    return screen


def axes_of(stored: StoredAnalysis, names: Collection[str] = ()) -> ScreenAxes:
    """The axes of an analysis with their wells as points; those of `names`, or all. Raises NotFound for a name that
    none of them has."""
    known = list(dict.fromkeys(axis.name for axis in stored.analysis.axes))
    for name in names:
        if name not in known:
            raise NotFound(f"there is no axis '{name}'; this analysis has {', '.join(known)}")
    wells = stored.analysis.wells
    chosen = tuple(_axis(axis, wells) for axis in stored.analysis.axes if not names or axis.name in names)
    axis_hash = stored.analysis.provenance.axis_hash
    return ScreenAxes(screen=stored.screen, version=stored.version, axis_hash=axis_hash, axes=chosen)


def _axis(scores: AxisScores, wells: Sequence[WellScore]) -> Axis:
    fields = {name: getattr(scores, name) for name in Axis.model_fields if name != "points"}
    columns = (scores.wells, scores.side, scores.on, scores.scaled, scores.off, scores.off_distance)
    points = tuple(_point(wells[i], *numbers) for i, *numbers in zip(*columns, strict=True))
    return Axis(**fields, points=points)


def _point(
    well: WellScore,
    side: int,
    on: float,
    scaled: float | None,
    off: float | None,
    off_distance: float | None,
) -> AxisPoint:
    place = {name: getattr(well, name) for name in _PLACE}
    named = {1: "positive", -1: "negative"}.get(side)
    return AxisPoint.model_validate(
        place | {"side": named, "on": on, "scaled": scaled, "off": off, "off_distance": off_distance}
    )


def _summary(name: str, found: list[tuple[str, Tested]]) -> CompoundSummary:
    return CompoundSummary(
        id=quote(name, safe=""),
        compound=name,
        cell_lines=tuple(dict.fromkeys(tested.cell_line for _, tested in found)),
        screens=tuple(dict.fromkeys(screen for screen, _ in found)),
    )
