"""Pictures of docs/train-your-own.md: real and generated tiles of a run that went well, and of one that failed.

    python -m benchmarks.training.pictures --runs runs/bench --out docs/images

takes the last sheets of the runs `seed-0` and `too-little-r1` that `training_probe.py` trains: BBBC013v1, provided by
Ilya Ravkin, Broad Bioimage Benchmark Collection (Ljosa et al., Nature Methods 2012), CC BY 3.0.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from PIL import Image

ROWS, COLOURS = 4, 160
PICTURES = {"seed-0": "training-good.png", "too-little-r1": "training-failed.png"}


def main() -> None:
    """Cut the upper half of each last sheet and write it with few colours, to keep the files small."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    for run, name in PICTURES.items():
        sheet = Image.open(max((given.runs / run / "samples").glob("*.png")))
        upper = sheet.crop((0, 0, sheet.width, sheet.height // 8 * ROWS))
        upper.quantize(COLOURS, dither=Image.Dither.NONE).save(given.out / name, optimize=True)


if __name__ == "__main__":
    main()
