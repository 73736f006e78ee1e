"""A scored cell line of invented numbers, for tests of what an analysis derives from scores."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from gandl_analysis.pipeline.axes.efficacy import scored_on_this_screen
from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.image_qc import ImageQc
from gandl_analysis.pipeline.tiles import tiles_of
from gandl_science.axis.cross_fit import score_wells
from gandl_science.axis.folds import grouped_folds
from gandl_shared.plates import Role

from tests.analysis.simulated_screens import Simulated

_LABELS = {Role.POSITIVE: 1, Role.NEGATIVE: -1}


def scored_cell_line(simulated: Simulated | None = None, *, emptied: Sequence[str] = ()) -> ScoredCellLine:
    """Return a cell line scored out of fold; image QC finds no cells in the `emptied` wells of plate P1."""
    simulated = simulated or Simulated()
    profiles, wells = simulated.profiles(), simulated.wells()
    places = frozenset(("P1", well) for well in emptied)
    images = ImageQc(
        plates={},
        dropped=np.isin(profiles.wells.astype(str), list(emptied)),
        failed=dict.fromkeys(places, "image QC: empty"),
        emptied=places,
    )
    tiles = tiles_of(profiles, wells, images)
    labels = np.array([_LABELS.get(w.role, 0) for w in wells], np.intp) * tiles.present
    folds = grouped_folds(tiles.positions, labels)
    assert folds is not None
    scores = score_wells(tiles.vectors, tiles.well, labels, folds)
    provenance = simulated.screen().preparation.provenance(cell_line=wells[0].cell_line, off_axis_limit=9.0)
    return scored_on_this_screen(tiles, labels, scores, provenance)
