"""Compare float32 and float16: agreement with torch, size, speed, and Z′ on BBBC013.

    python -m benchmarks.training.precision --bbbc013 ../shared/data/bbbc013 --run RUN --page docs/training.md

exports the run in each precision by `gandl export` and compares the files by `gandl models --images`.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.tables import write_between

PRECISIONS = ("float32", "float16")


def main() -> None:
    """Export the run in each precision, compare the files and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bbbc013", type=Path, required=True)
    parser.add_argument("--run", type=Path, required=True)
    parser.add_argument("--tap", default="multi")
    parser.add_argument("--page", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        models = [export(options.run, options.tap, precision, Path(folder)) for precision in PRECISIONS]
        write_between(options.page, "precisions", "\n".join(table(models, options.bbbc013)))


def export(run: Path, tap: str, precision: str, folder: Path) -> Path:
    """Export the run in a precision and return the ONNX file."""
    out = folder / f"{precision}.onnx"
    _gandl("export", run, "--tap", tap, "--precision", precision, "--out", out)
    return out


def table(models: list[Path], data: Path) -> Iterator[str]:
    """Yield the lines of the table, one row per precision."""
    compared = json.loads(
        _gandl("models", *models, "--images", data / "images", "--platemap", data / "platemap.csv", "--json")
    )
    yield "| precision | from torch, relative | smallest cosine to float32 | kB | tiles/s | Z′ | tile accuracy |"
    yield "|---|---|---|---|---|---|---|"
    for path, row in zip(models, compared, strict=True):
        parity = json.loads(path.with_suffix(".card.json").read_text())["parity"]["torch_max"]
        (quality,) = row["cell_lines"].values()
        cosine = "" if row["smallest_cosine_to_first"] is None else f"{row['smallest_cosine_to_first']:.5f}"
        cells = (path.stem, f"{parity:.1e}", cosine, row["kilobytes"], f"{row['tiles_per_second']:.0f}")
        yield "| " + " | ".join(map(str, (*cells, f"{quality['z_prime']:.2f}", f"{quality['accuracy']:.3f}"))) + " |"


def _gandl(*arguments: object) -> str:
    command = [str(Path(sys.executable).with_name("gandl")), *map(str, arguments)]
    return subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    main()
