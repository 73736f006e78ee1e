"""One small synthetic plate, which the tests of this folder write in many forms.

GFP moves from the cytoplasm into the nucleus as a compound works; the second channel is DNA. The plate has six negative
and six positive controls and one compound, CmpA, at six doses in three wells each; its EC50 is 0.5 µM.
"""

from __future__ import annotations

import csv
import functools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from numpy.typing import NDArray

SIZE = 128
CHANNELS = ("GFP", "DNA")
COUNTS = 4095  # of a camera of 12 bit
DOSES_UM = (0.01, 0.1, 0.3, 1.0, 3.0, 30.0)
EC50_UM = 0.5
HEADER = ("plate", "well", "role", "compound", "concentration_um", "cell_line")

Field = NDArray[np.uint16]  # [2, SIZE, SIZE]


@dataclass(frozen=True, kw_only=True)
class CaseWell:
    """A well: what it got, and the share of GFP that is in the nucleus."""

    well: str
    role: str
    compound: str
    dose_um: float | None
    moved: float

    @property
    def row(self) -> tuple[str, ...]:
        """The row of a plate map, in the order of HEADER."""
        dose = "" if self.dose_um is None else f"{self.dose_um:g}"
        return ("P1", self.well, self.role, self.compound, dose, "U2OS")


@functools.cache
def design() -> tuple[CaseWell, ...]:
    """Return the thirty wells, placed at random in the first four columns of the plate."""
    treatments = [
        ("negative_control", "", None, 0.1),
        ("positive_control", "", None, 0.9),
    ] * 6 + [("treatment", "CmpA", dose, 0.1 + 0.8 * dose / (dose + EC50_UM)) for dose in DOSES_UM for _ in range(3)]
    names = [f"{row}{column:02d}" for column in range(1, 5) for row in "ABCDEFGH"]
    order = np.random.default_rng(5).permutation(len(treatments))
    return tuple(
        CaseWell(well=names[i], role=role, compound=compound, dose_um=dose, moved=moved)
        for i, (role, compound, dose, moved) in enumerate(treatments[j] for j in order)
    )


@functools.cache
def fields() -> Mapping[str, Field]:
    """Return the field of view of each well, as counts of a camera of 12 bit."""
    rng = np.random.default_rng(1)
    return {well.well: np.rint(draw(rng, well.moved) * COUNTS).astype(np.uint16) for well in design()}


def write_plate_map(path: Path, rows: Sequence[Sequence[str]] | None = None, header: Sequence[str] = HEADER) -> Path:
    """Write a plate map as CSV; without `rows`, that of the design."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        writer.writerows([well.row for well in design()] if rows is None else rows)
    return path


def write_images(folder: Path, name: Callable[[str, int], str] = lambda well, c: f"P1/{well}_s1_w{c + 1}.tif") -> Path:
    """Write one grey TIFF per well and channel; `name` gives its path below `folder` from the well and 0 or 1."""
    for well, field in fields().items():
        for channel in range(len(CHANNELS)):
            write_tiff(folder / name(well, channel), field[channel])
    return folder


def write_tiff(path: Path, plane: NDArray[np.generic]) -> None:
    """Write one grey TIFF, with its folder."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tifffile.imwrite(path, plane, photometric="minisblack")


def draw(rng: np.random.Generator, moved: float, cells: int = 9) -> NDArray[np.float32]:
    """Draw [2, SIZE, SIZE] in 0..1: nuclei, and GFP of which the share `moved` is in them."""
    y, x = np.mgrid[:SIZE, :SIZE].astype(np.float32)
    gfp, dna = np.full((2, SIZE, SIZE), 0.02, np.float32)
    for _ in range(cells):
        centre_y, centre_x = rng.uniform(8, SIZE - 8, 2)
        radius = rng.uniform(6, 8)
        distance = np.hypot(y - centre_y, x - centre_x)
        nucleus = 1 / (1 + np.exp(np.clip((distance - radius) * 1.5, -50, 50)))
        cell = 1 / (1 + np.exp(np.clip(distance - 2.2 * radius, -50, 50)))
        cytoplasm = np.clip(cell - nucleus, 0, None)
        gfp += rng.uniform(0.5, 0.7) * (moved * nucleus + (1 - moved) * 0.45 * cytoplasm + 0.1 * cell)
        dna += rng.uniform(0.5, 0.7) * nucleus
    noisy = np.stack([gfp, dna]) + rng.normal(0, 0.01, (2, SIZE, SIZE)).astype(np.float32)
    return noisy.clip(0, 1)
