"""The scores of wells and tiles along one axis, and how they are counted by tile."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from gandl_science.arrays import Float, Index, Mask
from gandl_science.assay.accuracy import share_right
from gandl_science.axis.anchors import Anchors
from gandl_science.axis.fitted import AxisFit


@dataclass(frozen=True, kw_only=True)
class WellScores:
    """Scores of W wells and N tiles along the axis `fit`.

    `on` and `off` [W] are means over the tiles of a well (NaN without tiles). `efficacy` [W] is -1 at the mean negative
    and +1 at the mean positive control, and NaN everywhere if these are not separated. `off_distance` [W] is the
    distance of the well's mean residual from what is expected at its efficacy, in units of the median of the held-out
    controls. `tiles_right` [W] counts the tiles on their own side of the axis, and is -1 for wells without a label.
    `tile_on` [N] is the score of each tile.
    """

    on: Float
    off: Float
    off_distance: Float
    efficacy: Float
    n_tiles: Index
    tiles_right: Index
    tile_on: Float
    fit: AxisFit

    @property
    def anchors(self) -> Anchors:
        """The anchors by which the efficacies were scaled."""
        return self.fit.anchors

    def tile_accuracy(self, keep: Mask) -> float | None:
        """Return the accuracy over the tiles of the labelled wells in `keep` [W]; None without such tiles.

        It is out of fold where the scores are.
        """
        return share_right(self.tiles_right, self.n_tiles, keep)


def count_tiles_right(tile_on: Float, well: Index, labels: Index) -> Index:
    """Return the number of tiles on their own side of the axis per labelled well [W], and -1 for other wells."""
    right = np.bincount(well, (tile_on > 0) == (labels[well] > 0), minlength=len(labels)).astype(np.intp)
    # -1 and not 0, so that a treatment never counts as a control with every tile wrong.
    return np.where(labels != 0, right, -1)
