"""The pictures of docs/simulator.md. `python -m gandl.simulate.gallery docs/images` writes them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from gandl.simulate.cells.morphology import CELL_LINES, STAINS
from gandl.simulate.cells.pharmacology import HEALTHY_WELL, INFECTED_WELL, WellState
from gandl.simulate.microscope.effects import Effects, draw_plate, draw_well
from gandl.simulate.microscope.field import draw_field
from gandl.simulate.seeds import Stream, stream

Picture = NDArray[np.uint8]

STATES: Mapping[str, WellState] = {
    "healthy": HEALTHY_WELL,
    "half rescued": WellState(rescue=0.5),
    "infected": INFECTED_WELL,
    "poisoned": WellState(rescue=0.0, toxicity=0.95),
}
_SEED = 4
_CROP = 176
_GAP = 4
_COLOURS = np.array([[0.15, 0.35, 1], [0, 0.75, 0.25], [1, 0.35, 0.1], [0.35, 0.6, 0.1], [0.75, 0.1, 0.6]])
"""The display colour of each stain in a composite."""


def fields(cell_line: str) -> list[Picture]:
    """Return one field of each state [5, crop, crop], all under the same display limits."""
    rng = stream(_SEED, Stream.WELL, list(CELL_LINES).index(cell_line))
    plate = draw_plate(Effects(), rng, len(STAINS))
    well = draw_well(Effects(), plate, (0.0, 0.0), 0.0, rng)
    images = [draw_field(CELL_LINES[cell_line], state, well, rng, size=256, bits=16) for state in STATES.values()]
    counts = np.stack(images).astype(np.float64)
    # One pair of limits for all states, so that differences in brightness are not scaled away.
    low = np.percentile(counts, 1, axis=(0, 2, 3))[:, None, None]
    high = np.percentile(counts, 99.8, axis=(0, 2, 3))[:, None, None]
    scaled = np.clip((counts - low) / (high - low), 0, 1)[:, :, :_CROP, :_CROP]
    return list((255 * scaled**0.8).astype(np.uint8))


def stains_picture(cell_line: str) -> Picture:
    """Return a picture of the states (rows) in the five stains (columns)."""
    return _tiled([list(field) for field in fields(cell_line)])


def composite_picture() -> Picture:
    """Return a picture of the cell lines (rows) in their states (columns), with all stains in colour."""
    return _tiled([[_composite(field) for field in fields(cell_line)] for cell_line in CELL_LINES])


def _composite(field: Picture) -> Picture:
    colour = np.einsum("chw,ck->hwk", field.astype(float), _COLOURS)
    return np.asarray(np.clip(0.8 * colour, 0, 255), np.uint8)


def _tiled(rows: list[list[Picture]]) -> Picture:
    height, width = rows[0][0].shape[:2]
    shape = (len(rows) * (height + _GAP) - _GAP, len(rows[0]) * (width + _GAP) - _GAP, *rows[0][0].shape[2:])
    canvas = np.full(shape, 255, np.uint8)
    for r, row in enumerate(rows):
        for c, picture in enumerate(row):
            top, left = r * (height + _GAP), c * (width + _GAP)
            canvas[top : top + height, left : left + width] = picture
    return canvas


def main(folder: Path) -> None:
    """Write all pictures into a folder, with few colours, so that the repository stays small."""
    folder.mkdir(parents=True, exist_ok=True)
    for cell_line in CELL_LINES:
        name = cell_line.removesuffix("-like").lower()
        Image.fromarray(stains_picture(cell_line)).quantize(48).save(
            folder / f"simulator-stains-{name}.png", optimize=True
        )
    Image.fromarray(composite_picture()).quantize(128).save(folder / "simulator-phenotypes.png", optimize=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
