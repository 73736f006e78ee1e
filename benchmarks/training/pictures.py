"""Make the pictures of docs/train-your-own.md: tiles of a run that went well, and of one that failed.

    python -m benchmarks.training.pictures --runs runs/bench --out docs/images

The pictures are the last sample grids of the runs `seed-0` and `too-little-r1`, which `benchmarks.training.probe`
trains. Images: BBBC013v1, provided by Ilya Ravkin, Broad Bioimage Benchmark Collection (Ljosa et al., Nature Methods
2012), CC BY 3.0.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

ROWS, COLOURS = 4, 160
PICTURES = {"seed-0": "training-good.png", "too-little-r1": "training-failed.png"}


def main() -> None:
    """Cut out the upper half of each last sample grid and write it with few colours, so that the files are small."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    for run, name in PICTURES.items():
        grid = Image.open(max((options.runs / run / "samples").glob("*.png")))
        upper = grid.crop((0, 0, grid.width, grid.height // 8 * ROWS))
        upper.quantize(COLOURS, dither=Image.Dither.NONE).save(options.out / name, optimize=True)


if __name__ == "__main__":
    main()
