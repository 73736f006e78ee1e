"""The frame of every page of a screen: its sections, the version that is shown, and addresses that keep it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from urllib.parse import quote, urlencode

from fastapi import Request
from gandl_shared.schemas.screen import ScreenStatus
from gandl_shared.web.requests.access import session_of_request

from gandl_analysis.pages.frame.answers import base_path
from gandl_analysis.pages.frame.progress import NoAnalysisYet
from gandl_analysis.pages.frame.reader import ScreenReader
from gandl_analysis.pipeline.result import ScreenAnalysis


class Tab(Enum):
    """A section of a screen: the end of its address, and its name for readers. Their order is that of the tabs."""

    REPORT = ("", "Report")
    PLATES = ("plates", "Plates")
    CURVES = ("curves", "Curves")
    DECISIONS = ("decisions", "Decisions")
    SCATTER = ("scatter", "Scatter")
    DOWNLOADS = ("downloads", "Downloads")

    def __init__(self, path: str, label: str) -> None:
        self.path, self.label = path, label


@dataclass(frozen=True, kw_only=True)
class Frame:
    """What the frame of a page shows. `version` is the version of the analysis that the page is about, and
    `may_edit` says whether its reader may change something."""

    base: str
    status: ScreenStatus
    version: int
    tab: Tab
    requested_version: int | None
    may_edit: bool = False

    @property
    def tabs(self) -> tuple[Tab, ...]:
        """All sections in their order."""
        return tuple(Tab)

    @property
    def is_older(self) -> bool:
        """True if the screen has a newer analysis than this one."""
        return self.version != self.status.analysis_version

    @property
    def newest_address(self) -> str:
        """The address of this section with the newest version."""
        return self._path(self.tab)

    def address(self, tab: Tab) -> str:
        """Return the address of a section with the version that the reader has requested."""
        return self._path(tab) + self.version_query

    def compound_address(self, compound: str) -> str:
        """Return the address of the page of a compound."""
        return f"{self._root}/compounds/{quote(compound, safe='')}{self.version_query}"

    def compound_address_in(self, screen_id: str, compound: str, version: int | None = None) -> str:
        """Return the address of the page of a compound in any screen, and in one of its versions."""
        query = "" if version is None else f"?version={version}"
        return f"{self.base}/ui/screens/{quote(screen_id, safe='')}/compounds/{quote(compound, safe='')}{query}"

    def other_results_address(self, compound: str) -> str:
        """Return the address of the results of a compound in other screens and versions."""
        return f"{self._root}/other-results/{quote(compound, safe='')}{self.version_query}"

    def well_address(self, plate: str, well: str) -> str:
        """Return the address of the page of a well."""
        return f"{self._root}/wells/{quote(plate, safe='')}/{quote(well, safe='')}{self.version_query}"

    def page_address(self, path: str, **query: object) -> str:
        """Return the address of a page of the screen with the requested version and further parameters; those that are
        None are left out. `path` is percent-encoded."""
        values = {**query, "version": self.requested_version}
        further = {name: value for name, value in values.items() if value is not None}
        return f"{self._root}/{path}" + (f"?{urlencode(further, doseq=True)}" if further else "")

    def export_address(self, name: str, **query: object) -> str:
        """Return the address of an export of this version of the analysis."""
        values = {**query, "version": self.version}
        return (
            f"{self.base}/screens/{quote(self.status.id, safe='')}/exports/{quote(name, safe='')}?{urlencode(values)}"
        )

    @property
    def version_query(self) -> str:
        """`?version=N` where the reader has requested a version, otherwise nothing."""
        return "" if self.requested_version is None else f"?version={self.requested_version}"

    @property
    def _root(self) -> str:
        return f"{self.base}/ui/screens/{quote(self.status.id, safe='')}"

    def _path(self, tab: Tab) -> str:
        return f"{self._root}/{tab.path}" if tab.path else self._root


@dataclass(frozen=True, kw_only=True)
class FramedAnalysis:
    """An analysis of a screen and the frame of its page."""

    frame: Frame
    analysis: ScreenAnalysis


def may_edit(request: Request) -> bool:
    """Return whether the person who reads a page may change something."""
    session = session_of_request(request)
    return session is not None and session.may_edit


def framed_analysis(
    request: Request, reader: ScreenReader, screen_id: str, version: int | None, tab: Tab
) -> FramedAnalysis:
    """Return the analysis that a page of a screen is about; version None is the newest one.

    Raises NotFound for a screen that does not exist or has not this version, and NoAnalysisYet.
    """
    status = reader.status(screen_id)
    analysis = reader.analysis(screen_id, version)
    number = version or status.analysis_version
    if analysis is None or number is None:
        raise NoAnalysisYet(status)
    frame = Frame(
        base=base_path(request),
        status=status,
        version=number,
        tab=tab,
        requested_version=version,
        may_edit=may_edit(request),
    )
    return FramedAnalysis(frame=frame, analysis=analysis)
