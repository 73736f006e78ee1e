"""A screen of one small plate, and what is in its folder."""

from __future__ import annotations

import csv
import hashlib
from pathlib import Path

from gandl.simulate import Compound, Controls, DoseLadder, Response, ScreenDesign

TINY = ScreenDesign(
    compounds=(Compound("A", Response(ec50_um=1.0)), Compound("B", Response(), {"VERO-like": Response(ec50_um=2.0)})),
    cell_lines=("VERO-like",),
    ladder=DoseLadder(top_um=10.0, count=3),
    replicates=1,
    controls=Controls(positive=4, negative=4),
    size=64,
    seed=5,
)


def digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file below a folder."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def read_rows(path: Path) -> list[dict[str, str]]:
    """Return the rows of a CSV file."""
    with path.open(newline="") as file:
        return list(csv.DictReader(file))
