"""The tiles of a screen by well: the form in which vectors come to the statistics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from gandl_science.axis.plate_normalisation import PLATE_NORMALISATIONS
from gandl_science.positions import Positions
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Role, Well
from gandl_shared.plates.well_names import parse_wells
from gandl_shared.store import Profiles
from numpy.typing import NDArray

from gandl_analysis.pipeline.image_qc import UNJUDGED, JudgedImages

Index = NDArray[np.intp]
Mask = NDArray[np.bool_]
Text = NDArray[np.object_]


@dataclass(frozen=True)
class WellTiles:
    """Wells [W] and their N tiles: `vectors` [N, F]; of each the `well` [N], the `rows` [N] in the profiles, and the
    site's name and key [N]; and what `images` were left out. Emptied wells keep their tiles, to be looked at off the
    axis only."""

    wells: Sequence[Well]
    vectors: NDArray[np.float32]
    well: Index
    rows: Index
    sites: Text
    keys: Text
    images: JudgedImages = UNJUDGED

    @property
    def present(self) -> Mask:
        """The wells [W] that have tiles and cells in them."""
        found: Mask = (np.bincount(self.well, minlength=len(self.wells)) > 0) & ~self.emptied
        return found

    @property
    def emptied(self) -> Mask:
        """The wells [W] in which image QC sees no cells."""
        return np.array([(w.plate, w.well) in self.images.emptied for w in self.wells], bool)

    @property
    def seen(self) -> WellTiles:
        """Without the tiles of emptied wells."""
        return self._tiles(~self.emptied[self.well])

    @property
    def plates(self) -> list[str]:
        """The plate of each well [W]."""
        return [w.plate for w in self.wells]

    @property
    def positions(self) -> Positions:
        """The positions of the wells [W]."""
        rows, columns = parse_wells(w.well for w in self.wells)
        return Positions(plates=self.plates, rows=rows, columns=columns)

    def of(self, keep: Mask) -> WellTiles:
        """Only the wells in `keep` [W] and their tiles."""
        if keep.all():
            return self
        tiles, place = keep[self.well], np.cumsum(keep) - 1
        wells = [w for w, kept in zip(self.wells, keep, strict=True) if kept]
        part = self._tiles(tiles)
        return replace(part, wells=wells, well=place[part.well])

    def _tiles(self, keep: Mask) -> WellTiles:
        """All wells, and the tiles in `keep` [N]."""
        if keep.all():
            return self
        parts = {name: getattr(self, name)[keep] for name in ("vectors", "well", "rows", "sites", "keys")}
        return replace(self, **parts)

    def of_line(self, cell_line: str) -> WellTiles:
        """Only the wells of a cell line."""
        return self.of(np.array([w.cell_line == cell_line for w in self.wells], bool))


def tiles_of(profiles: Profiles, wells: Sequence[Well], images: JudgedImages = UNJUDGED) -> WellTiles:
    """The tiles of the `wells`; others are left out, and so are those that `images` drops, but for emptied wells.

    Raises NotEnoughData for vectors that are not finite.
    """
    place = {(w.plate, w.well): i for i, w in enumerate(wells)}
    well = np.array([place.get(key, -1) for key in zip(profiles.plates, profiles.wells, strict=True)], np.intp)
    emptied = np.array([(w.plate, w.well) in images.emptied for w in wells], bool)
    keep = (well >= 0) & (~images.dropped | emptied[well]) if images.dropped.any() else well >= 0
    rows = np.flatnonzero(keep)
    known = profiles if len(rows) == len(well) else profiles.where(keep)
    if not np.isfinite(known.vectors).all():
        bad = int(np.argmin(np.isfinite(known.vectors).all(axis=1)))
        raise NotEnoughData(f"the vectors of well {known.wells[bad]} hold NaN; embed this screen again")
    return WellTiles(wells, known.vectors, well[rows], rows, known.sites, known.keys, images)


def normalised(tiles: WellTiles, how: str) -> WellTiles:
    """Vectors relative to the negative controls of the same plate and cell line; `none` leaves them as they are.

    Raises NotEnoughData naming cell line and plate where there are fewer than two such wells.
    """
    if how == "none":
        return tiles
    out = np.empty_like(tiles.vectors)
    for line in dict.fromkeys(w.cell_line for w in tiles.wells):
        part = tiles.of_line(line)
        negative = np.array([w.role is Role.NEGATIVE for w in part.wells], bool) & ~part.emptied
        chosen = np.array([w.cell_line == line for w in tiles.wells], bool)[tiles.well]
        try:
            out[chosen] = PLATE_NORMALISATIONS[how](part.vectors, part.well, part.plates, negative)
        except ValueError as error:
            detail = f"normalisation {how}, cell line {line}: {error}; give normalisation none"
            raise NotEnoughData(detail) from error
    return replace(tiles, vectors=out)
