"""Scores of fields of view and efficacies of tiles. They are held out wherever their wells are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from gandl_science.arrays import Float, group_means
from gandl_shared.plates import Well
from gandl_shared.schemas.screen import SiteScore

from gandl_analysis.pipeline.axes.scored_cell_line import ScoredCellLine
from gandl_analysis.pipeline.image_qc import JudgedSite


def site_scores(cell_lines: Iterable[ScoredCellLine], image_qc: Iterable[JudgedSite] = ()) -> tuple[SiteScore, ...]:
    """Return every site with vectors and its score, the mean over its tiles, in the order of the profiles.

    `image_qc` are the sites with their problems; one that counts in no score has none.
    """
    scores = {(s.plate, s.well, s.site): (row, s) for cell_line in cell_lines for row, s in _of_cell_line(cell_line)}
    for site in image_qc:
        if site.problems:
            row, score = scores.get(site.key, (site.tile, site_without_score(site.of_well, site.site)))
            scores[site.key] = row, score.model_copy(update={"image_qc": site.record.problems})
    return tuple(score for _, score in sorted(scores.values(), key=lambda pair: pair[0]))


def tile_efficacy(cell_lines: Iterable[ScoredCellLine], tiles: int) -> Float:
    """Return the efficacy [N] of each of the `tiles` of the profiles; NaN for a tile of no used well."""
    efficacy = np.full(tiles, np.nan)
    for cell_line in cell_lines:
        scores = cell_line.scores
        efficacy[cell_line.tiles.profile_rows] = scores.anchors.efficacy(scores.tile_on)
    return efficacy


def tile_off(cell_lines: Iterable[ScoredCellLine], tiles: int) -> Float:
    """Return where each of the `tiles` [N] of the profiles is beside the efficacy axis; NaN for one of no used well.

    The position is linear, so that the mean over the tiles of a well is that of the well.
    """
    off = np.full(tiles, np.nan)
    for cell_line in cell_lines:
        off[cell_line.tiles.profile_rows] = cell_line.scores.fit.off_axis.coordinate(cell_line.tiles.vectors)
    return off


def _of_cell_line(cell_line: ScoredCellLine) -> Iterator[tuple[int, SiteScore]]:
    """Yield the scores of sites, each with the row of its first tile in the profiles."""
    tiles, scores = cell_line.tiles, cell_line.scores
    names, code = np.unique(tiles.sites.astype(str), return_inverse=True)
    # A well and a site name become one number, so that numpy can group the tiles.
    pairs = tiles.well * len(names) + code
    sites, first, site, counts = np.unique(pairs, return_index=True, return_inverse=True, return_counts=True)
    on = group_means(scores.tile_on[:, None], site, len(sites))[:, 0]
    efficacy = scores.anchors.efficacy(on)
    for i, tile in enumerate(first.tolist()):
        site = site_without_score(tiles.wells[int(tiles.well[tile])], str(tiles.sites[tile]))
        numbers = {
            "on": float(on[i]),
            "efficacy": float(efficacy[i]) if np.isfinite(efficacy[i]) else None,
            "n_tiles": int(counts[i]),
        }
        yield int(tiles.profile_rows[tile]), site.model_copy(update=numbers)


def site_without_score(well: Well, site: str) -> SiteScore:
    """Return a field of view of a well that counts in no score."""
    return SiteScore(
        plate=well.plate,
        well=well.well,
        site=site,
        role=well.role,
        compound=well.compound,
        concentration_um=well.concentration_um,
        cell_line=well.cell_line,
        on=None,
        efficacy=None,
        n_tiles=0,
    )
