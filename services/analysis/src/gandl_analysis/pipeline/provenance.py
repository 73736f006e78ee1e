"""The provenance of an analysis: everything that decided its numbers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.metadata import version

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.numerics import site_counts
from gandl_analysis.pipeline.result import AnalysisProvenance


def provenance_of(screen: ScreenInput, cell_lines: Mapping[str, ScoredCellLine]) -> AnalysisProvenance:
    """Return the provenance of an analysis of `screen` in which these cell lines were scored."""
    digests = "".join(dict.fromkeys(cell_line.stored_fit.digest for cell_line in cell_lines.values()))
    # Only what decides numbers is hashed: further columns of the plate map may change.
    plate_map = "\n".join(f"{w.plate},{w.well},{w.role},{w.compound},{w.concentration_um}" for w in screen.wells)
    sites = set(zip(screen.profiles.plates, screen.profiles.wells, screen.profiles.sites, strict=True))
    return AnalysisProvenance(
        gandl_version=version("gandl-analysis"),
        screen_name=screen.name,
        model_id=screen.model_id,
        model=screen.card,
        parameters=screen.parameters,
        limits=dict(screen.limits),
        limits_from=screen.limits_from,
        image_layout=screen.image_layout,
        intensities=dict(screen.intensities),
        numerics=tuple(filter(None, sorted(site_counts(screen.profiles)))),
        plate_map=hashlib.sha256(plate_map.encode()).hexdigest(),
        n_sites=len(sites),
        n_tiles=len(screen.profiles),
        axis_hash=hashlib.sha256(digests.encode()).hexdigest(),
        # Cell lines that share one axis are listed once.
        efficacy_axes=tuple({c.origin.hash: c.origin for c in cell_lines.values()}.values()),
    )
