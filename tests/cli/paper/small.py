"""Screens with known contents for the tests of the paper's items, without images."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path

import numpy as np

COMPOUNDS = ("Simudesivir", "Inertol")
DOSES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0)


def write_rxrx19a(folder: Path, features: int = 12, plates: int = 2, *, simulated: bool = False) -> Path:
    """Write metadata.csv and embeddings.csv of two cell lines with two experiments each, and return the folder.

    Feature 0 tells the controls apart, and Simudesivir rises along it; feature 1 tells the cell lines apart.
    """
    rng = np.random.default_rng(7)
    folder.mkdir(parents=True)
    metadata, vectors = [], []
    for cells, line in enumerate(("HRCE", "VERO")):
        for experiment in (1, 2):
            for plate in range(1, plates + 1):
                for well, (condition, compound, dose, efficacy) in enumerate(_contents()):
                    name = f"{'ABCDEFGH'[well % 8]}{1 + well // 8:02d}"
                    well_id = f"{line}-{experiment}_{plate}_{name}"
                    address = [f"{line}-{experiment}", str(plate), name, "1"]
                    metadata.append([f"{well_id}_1", well_id, line, *address, condition, compound, dose, ""])
                    vector = rng.normal(0, 0.5, features)
                    vector[:2] += 3 * efficacy, 6 * cells
                    vectors.append([f"{well_id}_1", *(f"{x:.5g}" for x in vector)])
    header = "site_id,well_id,cell_type,experiment,plate,well,site,disease_condition,treatment,treatment_conc,SMILES"
    _write(folder / "metadata.csv", [header.split(","), *metadata])
    _write(folder / "embeddings.csv", [["site_id", *(f"feature_{i}" for i in range(features))], *vectors])
    if simulated:
        (folder / "SIMULATED.txt").write_text("simulated\n")
    return folder


def _contents() -> list[tuple[str, str, str, float]]:
    controls = [("Mock", "", "", 1.0), ("Active SARS-CoV-2", "", "", -1.0)] * 6
    rises = [("Active SARS-CoV-2", COMPOUNDS[0], f"{d:g}", -1 + 2 * d / (d + 1)) for d in DOSES]
    flat = [("Active SARS-CoV-2", COMPOUNDS[1], f"{d:g}", -1.0) for d in DOSES]
    return [*controls, *rises, *flat]


def _write(path: Path, rows: Sequence[Sequence[str]]) -> None:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
