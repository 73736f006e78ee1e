"""Scores of fields of view: means over their tiles, held out wherever their wells are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from gandl_science.arrays import group_means
from gandl_shared.schemas.screen import SiteScore
from numpy.typing import NDArray

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine


def site_scores(lines: Iterable[ScoredCellLine]) -> tuple[SiteScore, ...]:
    """Every site with vectors, in the order of the profiles."""
    found = sorted((pair for line in lines for pair in _of_line(line)), key=lambda pair: pair[0])
    return tuple(site for _, site in found)


def tile_efficacy(lines: Iterable[ScoredCellLine], tiles: int) -> NDArray[np.float64]:
    """The efficacy [N] of every tile of the profiles; NaN for one that belongs to no used well."""
    out = np.full(tiles, np.nan)
    for line in lines:
        scores = line.scores
        out[line.tiles.rows] = scores.anchors.efficacy(scores.tile_on)
    return out


def _of_line(line: ScoredCellLine) -> Iterator[tuple[int, SiteScore]]:
    """Sites with the row of their first tile."""
    tiles, scores = line.tiles, line.scores
    names, code = np.unique(tiles.sites.astype(str), return_inverse=True)
    pairs = tiles.well * len(names) + code
    places, first, site, counts = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
    on = group_means(scores.tile_on[:, None], site, len(places))[:, 0]
    efficacy = scores.anchors.efficacy(on)
    for i in range(len(places)):
        well = tiles.wells[int(tiles.well[first[i]])]
        yield (
            int(tiles.rows[first[i]]),
            SiteScore(
                plate=well.plate,
                well=well.well,
                site=str(tiles.sites[first[i]]),
                role=well.role,
                compound=well.compound,
                concentration_um=well.concentration_um,
                cell_line=well.cell_line,
                on=float(on[i]),
                efficacy=float(efficacy[i]) if np.isfinite(efficacy[i]) else None,
                n_tiles=int(counts[i]),
            ),
        )
