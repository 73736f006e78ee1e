"""One cell line as the rest of an analysis receives it: its tiles, their scores, and where its axis comes from."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.arrays import Index, Mask
from gandl_science.axis.fitted import AxisFit
from gandl_science.axis.provenance import ControlStatus
from gandl_science.axis.scores import WellScores
from gandl_shared.plates import Well

from gandl_analysis.pipeline.result import EfficacyAxis
from gandl_analysis.pipeline.tiles import WellTiles


@dataclass(frozen=True, kw_only=True)
class ScoredCellLine:
    """The wells [W] of one cell line, or of several that share an axis, scored along that axis.

    `labels` [W] are +1 and -1 for the two groups of the axis and 0 for other wells. `stored_fit` is the axis that is
    kept for later screens, and `origin` says where it and the anchors come from.
    """

    tiles: WellTiles
    labels: Index
    scores: WellScores
    stored_fit: AxisFit
    origin: EfficacyAxis

    @property
    def wells(self) -> Sequence[Well]:
        """The wells [W]."""
        return self.tiles.wells

    @property
    def control_status(self) -> ControlStatus:
        """What the labelled wells are to the axis."""
        return self.scores.fit.control_status

    @property
    def in_sample(self) -> bool:
        """True if the axis was fitted on these labelled wells, so that metrics of them flatter the assay."""
        return self.control_status is ControlStatus.IN_SAMPLE

    @property
    def without_emptied(self) -> ScoredCellLine:
        """The same without the scores and tiles of emptied wells.

        Their off-axis distance stays: that the cells are gone is a result, but the score along the axis is not.
        """
        emptied = self.tiles.emptied
        if not emptied.any():
            return self
        scores = replace(
            self.scores,
            on=np.where(emptied, np.nan, self.scores.on),
            off=np.where(emptied, np.nan, self.scores.off),
            efficacy=np.where(emptied, np.nan, self.scores.efficacy),
            n_tiles=np.where(emptied, 0, self.scores.n_tiles),
            tile_on=self.scores.tile_on[~emptied[self.tiles.well]],
        )
        return replace(self, tiles=self.tiles.without_emptied, scores=scores)

    def subset(self, wells: Mask) -> ScoredCellLine:
        """Return only the wells in `wells` [W] and their tiles."""
        s = self.scores
        scores = replace(
            s,
            on=s.on[wells],
            off=s.off[wells],
            off_distance=s.off_distance[wells],
            efficacy=s.efficacy[wells],
            n_tiles=s.n_tiles[wells],
            tiles_right=s.tiles_right[wells],
            tile_on=s.tile_on[wells[self.tiles.well]],
        )
        return replace(self, tiles=self.tiles.of_wells(wells), labels=self.labels[wells], scores=scores)
