"""Images of single cells of two phenotypes on four plates, named `PHENOTYPE/PLATE--NUMBER.png`."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image

PATTERN = "{phenotype}/{plate}--{any}.png"


def write_cells(folder: Path, per_plate: int = 4) -> Path:
    """Write 16×16 images: `bright` cells are brighter than `dim` ones. Return the folder."""
    rng = np.random.default_rng(0)
    for phenotype, level in (("bright", 160), ("dim", 60)):
        (folder / phenotype).mkdir(parents=True, exist_ok=True)
        for plate in range(4):
            for number in range(per_plate):
                pixels = rng.normal(level, 20, (16, 16)).clip(0, 255).astype(np.uint8)
                Image.fromarray(pixels).save(folder / phenotype / f"P{plate}--{number}.png")
    return folder
