"""What an export reads, from the stored results of a screen."""

from __future__ import annotations

from gandl_analysis.formats.exports.source import ExportSource
from gandl_analysis.service.filters import HitFilter, WellFilter
from gandl_analysis.service.pixels.pictures import Pictures, stored_report
from gandl_analysis.service.results import Results


def export_source(results: Results, pictures: Pictures, screen: str, version: int | None, address: str) -> ExportSource:
    """Return the source of exports of a screen; `address` is that of the service. Raises NotFound, and Conflict while
    the version has no results."""
    stored = results.of(screen, version)
    return ExportSource(
        screen=stored.screen,
        version=stored.version,
        address=address,
        analysis=stored.analysis,
        sites=lambda: results.sites(stored.screen, stored.version, WellFilter()),
        profiles=lambda: results.profiles(stored.screen),
        hits=lambda: results.hits(stored.screen, stored.version, HitFilter()),
        decisions=lambda: results.decisions(stored.screen),
        report=lambda: stored_report(results, pictures, stored),
        axes=lambda: results.axis_files(stored.screen, stored.version),
        features=lambda: results.features(stored.screen),
    )
