"""The control tiles of a cell line: the tiles that an analysis with default parameters would fit its axis on.

They are cut, checked by image QC and divided into folds as in the analysis of a screen, so that the control probe and
`quality.json` report the same numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from gandl_science.arrays import Mask
from gandl_science.assay.image_qc import ChannelMetrics, ImageLimits, SiteProblems, site_problems
from gandl_science.axis.folds import Folds, grouped_folds
from gandl_science.positions import Positions
from gandl_shared.errors import NotEnoughData
from gandl_shared.imaging import blank_tiles, site_metrics, tile_contrast, tile_origins
from gandl_shared.plates import Role
from gandl_shared.plates.well_names import parse_wells
from gandl_shared.schemas.analysis import ImageQcParameters
from gandl_shared.schemas.vocabulary import ImageReason
from numpy.typing import NDArray

from gandl_training.data.field_store import FieldRecord, FieldStore, Uint8

Index = NDArray[np.intp]

MAX_TILES = 4000
"""How many tiles of a cell line are probed at most, because more cost time and memory. On a screen with more control
tiles, the probe differs from `quality.json` by this thinning, and by nothing else."""
RELEASE_INTERVAL = 256
"""After so many tiles, what was read of the store is released from memory."""
IMAGE_QC = ImageQcParameters()
LIMITS = ImageLimits(
    structure=IMAGE_QC.structure,
    saturation=IMAGE_QC.saturation,
    overexposed=IMAGE_QC.overexposed,
    focus=IMAGE_QC.focus,
    stripes=IMAGE_QC.stripes,
    similarity=IMAGE_QC.similarity,
)
LABELS = {Role.POSITIVE: 1, Role.NEGATIVE: -1}


@dataclass(frozen=True)
class _TileGrid:
    """The grid tiles of some fields of a store, numbered field by field."""

    store: FieldStore
    fields: Sequence[int]
    size: int

    @property
    def origins(self) -> Sequence[tuple[int, int]]:
        """The corners (y, x) of the tiles of each field."""
        return tile_origins(self.store.fields.shape[2], self.store.fields.shape[3], self.size)

    def read(self, numbers: Sequence[int] | Index) -> Uint8:
        """Return copies of the tiles of these numbers, [N, C, S, S], and release what was read from memory."""
        origins, size = self.origins, self.size
        tiles = np.empty((len(numbers), self.store.channels, size, size), np.uint8)
        for i, number in enumerate(numbers):
            y, x = origins[number % len(origins)]
            tiles[i] = self.store.fields[self.fields[number // len(origins)], :, y : y + size, x : x + size]
            if i % RELEASE_INTERVAL == 0:
                self.store.release()
        self.store.release()
        return tiles

    def contrast(self) -> NDArray[np.float32]:
        """Return the contrast [N] of all tiles; those of one field are in memory at a time."""
        n = len(self.origins)
        parts = [tile_contrast(self.read(range(i * n, (i + 1) * n))) for i in range(len(self.fields))]
        return np.concatenate([np.empty(0, np.float32), *parts])


@dataclass(frozen=True, kw_only=True)
class ControlTiles:
    """The tiles [N, C, S, S] of the control wells of one cell line.

    `well` [N] indexes the wells of the cell line; `labels` [W] are +1 for positive controls, -1 for negative ones, and
    0 for other wells and controls without usable tiles. `folds` divide the labelled wells.
    """

    tiles: Uint8
    well: Index
    labels: Index
    folds: Folds


def control_tiles(store: FieldStore, size: int, cell_line: str, *, max_tiles: int | None = None) -> ControlTiles:
    """Return the control tiles of a cell line; where there are more than `max_tiles`, evenly thinned ones.

    Raises NotEnoughData where fewer than two wells of a class have usable tiles.
    """
    records = store.index.records
    fields = [i for i, record in enumerate(records) if record.cell_line == cell_line]
    wells = _wells([records[i] for i in fields])
    number = {(record.plate, record.well): n for n, record in enumerate(wells)}
    usable = _usable_fields(store, [i for i in fields if Role(records[i].role) in LABELS])
    grid = _TileGrid(store, usable, size)
    well = np.repeat(np.array([number[records[i].plate, records[i].well] for i in usable], np.intp), len(grid.origins))
    # A tile without cells says nothing about the state of its well, unless the well has no other tiles.
    visible = np.flatnonzero(~blank_tiles(grid.contrast(), well, IMAGE_QC.blank))
    # Folds are those of all usable tiles, so that thinning changes which tiles are used and nothing else.
    labels = _labels(wells, well[visible])
    folds = _folds(wells, labels, cell_line)
    if max_tiles:
        visible = visible[:: max(-(-len(visible) // max_tiles), 1)]
    return ControlTiles(tiles=grid.read(visible), well=well[visible], labels=labels, folds=folds)


def probed_cell_lines(store: FieldStore, size: int) -> dict[str, ControlTiles]:
    """Return at most 4000 control tiles of every cell line that has enough control wells for a probe."""
    controls: dict[str, ControlTiles] = {}
    for cell_line in store.index.cell_lines:
        try:
            controls[cell_line] = control_tiles(store, size, cell_line, max_tiles=MAX_TILES)
        except NotEnoughData:
            continue
    return controls


def _wells(records: Sequence[FieldRecord]) -> list[FieldRecord]:
    """The first record of each well. Wells without controls belong to them too: they decide what is held out."""
    first: dict[tuple[str, str], FieldRecord] = {}
    for record in records:
        first.setdefault((record.plate, record.well), record)
    return list(first.values())


def _usable_fields(store: FieldStore, fields: Sequence[int]) -> list[int]:
    """The fields that image QC does not leave out by default, which are judged without their neighbours."""
    if not fields:
        return []
    measured = [site_metrics(store.fields[i]) for i in fields]
    metrics = ChannelMetrics(
        sharpness=np.stack([m.sharpness for m in measured]),
        saturated=np.stack([m.saturated for m in measured]),
        structure=np.stack([m.structure for m in measured]),
        stripes=np.stack([m.stripes for m in measured]),
        similarity=np.stack([m.similarity for m in measured]),
    )
    sides = np.array([LABELS[Role(store.index.records[i].role)] for i in fields], np.intp)
    problems = site_problems(metrics, sides, LIMITS)
    excluded = np.any([_decisive(problems, reason) for reason in IMAGE_QC.exclude], axis=0)
    return [i for i, out in zip(fields, excluded, strict=True) if not out]


def _decisive(problems: SiteProblems, reason: ImageReason) -> Mask:
    """Return the fields that are left out for a reason. A channel that all fields have lost is none, as in a screen."""
    mask = problems.of_sites(reason)
    everywhere = reason.loses_a_channel and bool((mask | problems.empty).all())
    return np.zeros(len(mask), bool) if everywhere else mask


def _labels(wells: Sequence[FieldRecord], well: Index) -> Index:
    """The label of each well [W]; 0 for controls that `well`, the well of each usable tile, does not name."""
    labels = np.array([LABELS.get(Role(record.role), 0) for record in wells], np.intp)
    return labels * np.isin(np.arange(len(wells)), well)


def _folds(wells: Sequence[FieldRecord], labels: Index, cell_line: str) -> Folds:
    rows, columns = parse_wells(record.well for record in wells)
    positions = Positions(plates=[record.plate for record in wells], rows=rows, columns=columns)
    folds = grouped_folds(positions, labels, experiments=[record.experiment for record in wells])
    if folds is None:
        n_positive, n_negative = (int(np.sum(labels == side)) for side in (1, -1))
        raise NotEnoughData(
            f"cell line {cell_line} has {n_positive} positive and {n_negative} negative control wells with usable "
            "tiles; the control probe needs at least two wells of each control"
        )
    return folds
