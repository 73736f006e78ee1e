"""Small tables of features as the libraries of the field write them, from one seeded design.

Six negative and six positive controls and one compound at six doses in three wells each, on each of two plates. The
feature i moves with the effect of the well if i < MOVED; names, prefixes and levels are those of each program.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

FEATURES, MOVED = 24, 6
DOSES_UM = (0.01, 0.1, 0.3, 1.0, 3.0, 30.0)
EC50_UM = 0.5
PLATES = ("BR1", "BR2")


@dataclass(frozen=True, kw_only=True)
class TableWell:
    """A well of the design; `effect` is 0 for a negative and 1 for a positive control."""

    plate: str
    well: str
    role: str
    compound: str
    dose_um: float | None
    effect: float


def design() -> list[TableWell]:
    """Return the wells of both plates, in places that have nothing to do with their content."""
    contents: list[tuple[str, str, float | None, float]] = [
        ("negcon", "DMSO", None, 0.0),
        ("poscon", "PosA", 5.0, 1.0),
    ] * 6
    contents += [("trt", "CmpA", dose, dose / (dose + EC50_UM)) for dose in DOSES_UM for _ in range(3)]
    names = [f"{row}{column:02d}" for column in range(1, 5) for row in "ABCDEFGH"]
    wells = []
    for i, plate in enumerate(PLATES):
        order = np.random.default_rng(i).permutation(len(contents))
        wells += [TableWell(plate=plate, well=names[j], **_named(contents[k])) for j, k in enumerate(order.tolist())]
    return wells


def _named(content: tuple[str, str, float | None, float]) -> Mapping[str, object]:
    return dict(zip(("role", "compound", "dose_um", "effect"), content, strict=True))


def features(wells: list[TableWell], seed: int = 0) -> np.ndarray:
    """Return one vector per well [W, FEATURES], each feature in a unit of its own."""
    rng = np.random.default_rng(seed)
    x = rng.normal(0, 1, (len(wells), FEATURES))
    x[:, :MOVED] += 6 * np.array([[well.effect] for well in wells])
    return x * np.exp(rng.normal(0, 2, FEATURES)) + rng.normal(0, 3, FEATURES)


def profiles(wells: list[TableWell] | None = None, seed: int = 0) -> pd.DataFrame:
    """Return well profiles as pycytominer writes them, with the columns of JUMP's metadata."""
    wells = design() if wells is None else wells
    metadata = pd.DataFrame(
        {
            "Metadata_Plate": [w.plate for w in wells],
            "Metadata_Well": [w.well for w in wells],
            "Metadata_JCP2022": [w.compound for w in wells],
            "Metadata_pert_type": ["trt" if w.role == "trt" else "control" for w in wells],
            "Metadata_control_type": [None if w.role == "trt" else w.role for w in wells],
            "Metadata_mmoles_per_liter": [w.dose_um for w in wells],
        }
    )
    names = [f"{('Cells', 'Cytoplasm', 'Nuclei')[i % 3]}_Texture_Entropy_{i}" for i in range(FEATURES)]
    return pd.concat([metadata, pd.DataFrame(features(wells, seed), columns=names)], axis=1)


def rxrx19a(sites: int = 2) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return `embeddings.csv` and `metadata.csv` in the form of RxRx19a: plates 1 and 2 of two experiments."""
    wells = design()
    ids, metadata, vectors = [], [], []
    for experiment in ("HRCE-1", "VERO-1"):
        for site in range(1, sites + 1):
            x = features(wells, seed=site + len(metadata))
            for well, vector in zip(wells, x, strict=True):
                plate = PLATES.index(well.plate) + 1
                well_id = f"{experiment}_{plate}_{well.well}"
                ids.append(f"{well_id}_{site}")
                vectors.append(vector)
                metadata.append(
                    {
                        "site_id": ids[-1],
                        "well_id": well_id,
                        "cell_type": experiment.split("-")[0],
                        "experiment": experiment,
                        "plate": plate,
                        "well": well.well,
                        "site": site,
                        "disease_condition": "Mock" if well.role == "poscon" else "Active SARS-CoV-2",
                        "treatment": well.compound if well.role == "trt" else "",
                        "treatment_conc": well.dose_um if well.role == "trt" else "",
                        "SMILES": "",
                    }
                )
    embeddings = pd.DataFrame(np.array(vectors), columns=[f"feature_{i}" for i in range(FEATURES)])
    embeddings.insert(0, "site_id", ids)
    return embeddings, pd.DataFrame(metadata)


def cells(n: int = 6) -> pd.DataFrame:
    """Return single cells as CytoTable writes them: `Image_Metadata_*`, numbers of images and of objects."""
    table = profiles().rename(
        columns={"Metadata_Plate": "Image_Metadata_Plate", "Metadata_Well": "Image_Metadata_Well"}
    )
    repeated = table.loc[table.index.repeat(n)].reset_index(drop=True)
    names = [name for name in table.columns if name.startswith(("Cells_", "Cytoplasm_", "Nuclei_"))]
    spread = table[names].std().to_numpy()
    repeated[names] += np.random.default_rng(9).normal(0, 0.5, (len(repeated), len(names))) * spread
    repeated.insert(0, "Metadata_ImageNumber", np.arange(len(repeated)) // (n // 2) + 1)
    repeated.insert(1, "Metadata_Cells_Number_Object_Number", np.arange(len(repeated)) % (n // 2) + 1)
    repeated["Metadata_Nuclei_Number_Object_Number"] = repeated["Metadata_Cells_Number_Object_Number"]
    return repeated
