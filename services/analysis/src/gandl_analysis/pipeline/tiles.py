"""The tiles of a screen by well: the form in which the analysis uses vectors."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.arrays import Index, Mask
from gandl_science.axis.plate_normalisation import PCA_MAD, PLATE_NORMALISATIONS, principal_components
from gandl_science.positions import Positions
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Role, Well
from gandl_shared.plates.well_names import parse_wells
from gandl_shared.store import Profiles
from numpy.typing import NDArray

from gandl_analysis.pipeline.image_qc import NO_IMAGE_QC, ImageQc

Text = NDArray[np.object_]
_MIN_CONTROLS = 2
_TILE_COLUMNS = ("vectors", "well", "profile_rows", "sites", "keys")


@dataclass(frozen=True, kw_only=True)
class WellTiles:
    """W wells and their N tiles.

    Of each tile there is the vector [N, F], the index of its `well` [N], its row in the profiles [N], and the name and
    key of its site [N]. `image_qc` says which tiles were left out. Emptied wells keep their tiles, but only for their
    off-axis distance.
    """

    wells: Sequence[Well]
    vectors: NDArray[np.float32]
    well: Index
    profile_rows: Index
    sites: Text
    keys: Text
    image_qc: ImageQc = NO_IMAGE_QC

    @property
    def present(self) -> Mask:
        """The wells [W] that have tiles and cells in them."""
        counts = np.bincount(self.well, minlength=len(self.wells))
        return np.asarray((counts > 0) & ~self.emptied, bool)

    @property
    def emptied(self) -> Mask:
        """The wells [W] without cells in any site, according to image QC."""
        return np.array([(w.plate, w.well) in self.image_qc.emptied for w in self.wells], bool)

    @property
    def without_emptied(self) -> WellTiles:
        """All wells without the tiles of emptied ones."""
        return self._with_tiles(~self.emptied[self.well])

    @property
    def plates(self) -> list[str]:
        """The plate of each well [W]."""
        return [w.plate for w in self.wells]

    @property
    def positions(self) -> Positions:
        """The positions of the wells [W]."""
        rows, columns = parse_wells(w.well for w in self.wells)
        return Positions(plates=self.plates, rows=rows, columns=columns)

    def of_wells(self, wells: Mask) -> WellTiles:
        """Return only the wells in `wells` [W] and their tiles."""
        if wells.all():
            return self
        index = np.cumsum(wells) - 1
        part = self._with_tiles(wells[self.well])
        selected = [w for w, use in zip(self.wells, wells, strict=True) if use]
        return replace(part, wells=selected, well=index[part.well])

    def of_cell_line(self, cell_line: str) -> WellTiles:
        """Return only the wells of a cell line and their tiles."""
        return self.of_wells(np.array([w.cell_line == cell_line for w in self.wells], bool))

    def _with_tiles(self, tiles: Mask) -> WellTiles:
        """Return all wells with only the tiles in `tiles` [N]."""
        if tiles.all():
            return self
        rows = np.flatnonzero(tiles)
        # Tiles that follow each other, as those of a cell line often do, are not copied.
        is_run = len(rows) > 0 and int(rows[-1] - rows[0]) + 1 == len(rows)
        selection = slice(int(rows[0]), int(rows[-1]) + 1) if is_run else rows
        columns = {name: getattr(self, name)[selection] for name in _TILE_COLUMNS}
        return replace(self, **columns)


def tiles_of(profiles: Profiles, wells: Sequence[Well], image_qc: ImageQc = NO_IMAGE_QC) -> WellTiles:
    """Return the tiles of the `wells` without those that image QC drops; emptied wells keep theirs.

    Raises NotEnoughData for vectors that are not finite.
    """
    index = {(w.plate, w.well): i for i, w in enumerate(wells)}
    well = np.array([index.get(key, -1) for key in zip(profiles.plates, profiles.wells, strict=True)], np.intp)
    emptied = np.array([(w.plate, w.well) in image_qc.emptied for w in wells], bool)
    # The tiles of emptied wells stay: their off-axis distance shows that the cells are gone.
    used = (well >= 0) & (~image_qc.dropped | emptied[well]) if image_qc.dropped.any() else well >= 0
    rows = np.flatnonzero(used)
    # A large screen is not copied where all of its tiles are used.
    part = profiles if len(rows) == len(well) else profiles.where(used)
    finite = np.isfinite(part.vectors).all(axis=1)
    if not finite.all():
        first = part.wells[int(np.argmin(finite))]
        raise NotEnoughData(f"the vectors of well {first} hold NaN; embed this screen again")
    return WellTiles(
        wells=wells,
        vectors=part.vectors,
        well=well[rows],
        profile_rows=rows,
        sites=part.sites,
        keys=part.keys,
        image_qc=image_qc,
    )


def normalised_tiles(tiles: WellTiles, normalisation: str) -> WellTiles:
    """Return vectors relative to the negative controls of the same plate and cell line; `none` changes nothing.

    With `pca_mad` they are principal components of all tiles before that.

    Raises NotEnoughData naming cell line and plate where there are fewer than two such wells.
    """
    if normalisation == "none":
        return tiles
    tiles = _in_components(tiles, tiles, normalisation)
    vectors = np.empty_like(tiles.vectors)
    for cell_line in dict.fromkeys(w.cell_line for w in tiles.wells):
        wells = np.array([w.cell_line == cell_line for w in tiles.wells], bool)
        part = tiles.of_wells(wells)
        # A control without cells is no reference for wells with cells.
        negative = np.array([w.role is Role.NEGATIVE for w in part.wells], bool) & ~part.emptied
        try:
            normalised = PLATE_NORMALISATIONS[normalisation](part.vectors, part.well, part.plates, negative)
        except ValueError as error:
            detail = f"normalisation {normalisation}, cell line {cell_line}: {error}; give normalisation none"
            raise NotEnoughData(detail) from error
        vectors[wells[tiles.well]] = normalised
    return replace(tiles, vectors=vectors)


def normalised_beside(tiles: WellTiles, others: WellTiles, normalisation: str) -> WellTiles:
    """Return vectors of `others` relative to the negative controls among `tiles`, which they do not change.

    This is what `normalised_tiles` gives a treatment well, whatever the wells of `others` hold. Wells without two
    negative controls of their cell line on their plate are left out.
    """
    if normalisation == "none":
        return others
    others, tiles = _in_components(tiles, others, normalisation), _in_components(tiles, tiles, normalisation)
    negative = np.array([w.role is Role.NEGATIVE for w in tiles.wells], bool) & tiles.present
    counts = Counter((w.cell_line, w.plate) for w, use in zip(tiles.wells, negative, strict=True) if use)
    others = others.of_wells(np.array([counts[w.cell_line, w.plate] >= _MIN_CONTROLS for w in others.wells], bool))
    controls = tiles.of_wells(negative)
    vectors = np.empty_like(others.vectors)
    for cell_line in dict.fromkeys(w.cell_line for w in others.wells):
        own, references = others.of_cell_line(cell_line), controls.of_cell_line(cell_line)
        n = len(references.wells)
        normalised = PLATE_NORMALISATIONS[normalisation](
            np.concatenate([references.vectors, own.vectors]),
            np.concatenate([references.well, own.well + n]),
            [*references.plates, *own.plates],
            np.arange(n + len(own.wells)) < n,
        )
        of_line = np.array([w.cell_line == cell_line for w in others.wells], bool)
        vectors[of_line[others.well]] = normalised[len(references.vectors) :]
    return replace(others, vectors=vectors)


def _in_components(tiles: WellTiles, scored: WellTiles, normalisation: str) -> WellTiles:
    """Return `scored` along the principal components of `tiles` where the normalisation wants them."""
    if normalisation != PCA_MAD:
        return scored
    # Cell lines share their components, so that an axis between two of them has a meaning.
    return replace(scored, vectors=principal_components(tiles.vectors, of=scored.vectors))
