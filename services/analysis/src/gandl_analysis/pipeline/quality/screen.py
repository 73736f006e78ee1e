"""The quality of a whole screen: metrics of controls per cell line and plate, and the probes of each cell line."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gandl_science.axis.anchors import AnchorSource
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import GroupQuality, Quality

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.quality.controls import group_quality, thresholds_of
from gandl_analysis.pipeline.quality.probes import cell_line_probes
from gandl_analysis.pipeline.quality.warnings import with_warnings

_OF_EARLIER_AXES = (AnchorSource.OWN_CONTROLS, AnchorSource.STORED)
_PAPER = (
    "preset paper: one axis for all cell lines on raw vectors, fitted on and scaled by these very controls. Every "
    "figure is in-sample: it flatters, unseen controls fall short of it, and it is for comparison only."
)


def screen_quality(cell_lines: Mapping[str, ScoredCellLine], parameters: AnalysisParameters) -> Quality:
    """Return the quality of a screen from its scored cell lines."""
    seed, thresholds = parameters.seed, thresholds_of(parameters)
    everywhere = {
        name: group_quality(cell_line, np.ones(len(cell_line.wells), bool), seed=seed, thresholds=thresholds)
        for name, cell_line in cell_lines.items()
    }
    quality = Quality(
        note=_note(cell_lines, parameters),
        cell_lines=everywhere,
        plates=_by_plate(cell_lines, parameters),
        # One cell line after the other: each holds several copies of its mean vectors, and two at a time took 0.7 GB
        # more on a table of 305,520 fields, for 20 of 250 seconds.
        probes={name: cell_line_probes(cell_line, seed=seed) for name, cell_line in cell_lines.items()},
    )
    return with_warnings(quality)


def _by_plate(cell_lines: Mapping[str, ScoredCellLine], parameters: AnalysisParameters) -> dict[str, GroupQuality]:
    """Return the quality of each plate; a plate with several cell lines has one entry for each."""
    thresholds = thresholds_of(parameters)
    # The axis is that of the whole cell line; a plate has too few controls for an axis of its own.
    by_plate: dict[str, dict[str, GroupQuality]] = {}
    for name, cell_line in cell_lines.items():
        plates = np.array(cell_line.tiles.plates, dtype=object)
        for plate in dict.fromkeys(cell_line.tiles.plates):
            quality = group_quality(cell_line, plates == plate, seed=parameters.seed, thresholds=thresholds)
            by_plate.setdefault(plate, {})[name] = quality.model_copy(update={"cell_line": name})
    return {
        plate if len(qualities) == 1 else f"{plate} ({name})": quality
        for plate, qualities in by_plate.items()
        for name, quality in qualities.items()
    }


def _note(cell_lines: Mapping[str, ScoredCellLine], parameters: AnalysisParameters) -> str | None:
    """Return what a reader of the metrics must know first."""
    if parameters.preset == "paper":
        return _PAPER
    origins = [(c.origin, c.in_sample) for c in cell_lines.values() if c.origin.anchors in _OF_EARLIER_AXES]
    if not origins:
        return None
    anchors = "; ".join(f"{origin.cell_line}: {origin.anchors}" for origin, _ in origins)
    in_sample = ", ".join(str(origin.cell_line) for origin, in_sample in origins if in_sample)
    warning = f" The axis was fitted on controls of {in_sample} that are here again: in-sample." if in_sample else ""
    return f"Scored by axes of {origins[0][0].fitted_on}; anchors, {anchors}.{warning}"
