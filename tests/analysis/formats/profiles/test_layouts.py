"""Tables in the layouts of JUMP, DeepProfiler and EFAAR (Recursion), at their sizes and under their names."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gandl_analysis.formats.profiles.read import ProfileTable, TableOptions, read_profile_table
from gandl_analysis.pipeline.analyse import analyse
from gandl_shared.errors import Invalid
from gandl_shared.models import TableCard
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.vocabulary import TableLevel, Verdict
from pycytominer.cyto_utils.DeepProfiler_processing import AggregateDeepProfiler, DeepProfilerData

from tests.analysis.formats.profiles.tables import EC50_UM, PLATES, TableWell, design, features, rxrx19a

JUMP_FEATURES, MOVED = 904, 60
DOSES_UM = (0.02, 0.1, 0.5, 2.5, 12.5)
CELLS = 4


def read(path: Path, plate_map: Path | None = None) -> ProfileTable:
    return read_profile_table(path, AnalysisParameters(), replace(TableOptions(), plate_map=plate_map))


def card(table: ProfileTable) -> TableCard:
    assert isinstance(table.screen.card, TableCard)
    return table.screen.card


def jump_plate(cells: int = 1) -> pd.DataFrame:
    """A plate of 384 wells with 904 features: 64 DMSO, 32 positive controls, and 288 wells of a library.

    Compound 0 has five doses of six wells; every other compound has one well at 5 µM and does nothing.
    """
    contents: list[tuple[str, str, str, float, float]] = [("control", "negcon", "JCP2022_033924", 0.0, 0.0)] * 64
    contents += [("control", "poscon_cp", "JCP2022_037716", 5.0, 1.0)] * 32
    contents += [("trt", "", "JCP2022_000000", dose, dose / (dose + EC50_UM)) for dose in DOSES_UM for _ in range(6)]
    contents += [("trt", "", f"JCP2022_{i:06d}", 5.0, 0.0) for i in range(1, 384 - len(contents) + 1)]
    rng = np.random.default_rng(0)
    rows = [contents[k] for k in rng.permutation(384).tolist() for _ in range(cells)]
    x = rng.normal(0, 1, (len(rows), JUMP_FEATURES))
    x[:, :MOVED] += 1.5 * np.array([[row[4]] for row in rows])
    x = x * np.exp(rng.normal(0, 2, JUMP_FEATURES)) + rng.normal(0, 3, JUMP_FEATURES)
    wells = [f"{chr(65 + i // 24)}{i % 24 + 1:02d}" for i in range(384) for _ in range(cells)]
    metadata = {
        "Metadata_Source": "source_4",
        "Metadata_Batch": "2021_05_31_Batch2",
        "Metadata_Plate": "BR00121436",
        "Metadata_Well": wells,
        "Metadata_JCP2022": [row[2] for row in rows],
        "Metadata_pert_type": [row[0] for row in rows],
        "Metadata_control_type": [row[1] or None for row in rows],
        "Metadata_mmoles_per_liter": [row[3] if row[1] != "negcon" else None for row in rows],
    }
    parts, names = ("Cells", "Cytoplasm", "Nuclei"), ("AreaShape_Zernike", "Intensity_Mean", "Texture_Entropy")
    columns = [f"{parts[i % 3]}_{names[i // 3 % 3]}_{i}" for i in range(JUMP_FEATURES)]
    return pd.concat([pd.DataFrame(metadata, index=range(len(rows))), pd.DataFrame(x, columns=columns)], axis=1)


def test_a_plate_of_jump_is_analysed_without_preparation(tmp_path: Path) -> None:
    jump_plate().to_parquet(tmp_path / "BR00121436.parquet", index=False)
    table = read(tmp_path / "BR00121436.parquet")
    assert (card(table).level, card(table).features, card(table).rows) == (TableLevel.WELL, JUMP_FEATURES, 384)
    roles = [well.role for well in table.screen.wells]
    assert [roles.count(role) for role in (Role.NEGATIVE, Role.POSITIVE, Role.TREATMENT)] == [64, 32, 288]
    curves = {curve.compound: curve for curve in analyse(table.screen).analysis.curves}
    assert curves["JCP2022_000000"].verdict is Verdict.ACTIVE
    assert curves["JCP2022_000000"].ec50.value == pytest.approx(EC50_UM, rel=0.6)
    assert not any(curve.verdict.is_active for name, curve in curves.items() if name != "JCP2022_000000")


def test_cells_of_the_same_plate_become_means_of_their_wells(tmp_path: Path) -> None:
    cells = jump_plate(CELLS)
    cells.insert(5, "Metadata_ObjectNumber", np.tile(np.arange(1, CELLS + 1), 384))
    cells.to_parquet(tmp_path / "cells.parquet", index=False)
    names = [name for name in cells.columns if not name.startswith("Metadata_")]
    means = cells.groupby("Metadata_Well", sort=False)[names].mean()
    described = cells.drop(columns=[*names, "Metadata_ObjectNumber"]).drop_duplicates().set_index("Metadata_Well")
    described.join(means).reset_index().to_parquet(tmp_path / "wells.parquet", index=False)
    of_cells, of_wells = read(tmp_path / "cells.parquet"), read(tmp_path / "wells.parquet")
    assert (card(of_cells).level, card(of_cells).rows) == (TableLevel.CELL, CELLS * 384)
    np.testing.assert_allclose(of_cells.screen.profiles.vectors, of_wells.screen.profiles.vectors, atol=2e-4)


def deep_profiles(folder: Path) -> pd.DataFrame:
    """The files of DeepProfiler, one per field with a vector for each cell, aggregated to fields by pycytominer."""
    rng, index = np.random.default_rng(3), []
    for well, vector in zip(design(), features(design(), seed=5), strict=True):
        for site in (1, 2):
            (folder / well.plate).mkdir(exist_ok=True)
            vectors = (vector + rng.normal(0, 0.1, (5, len(vector)))).astype(np.float32)
            metadata = {
                "Metadata_Plate": well.plate,
                "Metadata_Well": well.well,
                "Metadata_Site": site,
                "Metadata_Model": "efficientnet",
            }
            np.savez(folder / well.plate / f"{well.well}_{site}.npz", features=vectors, metadata=metadata)
            index.append((well.plate, well.well, site))
    pd.DataFrame(index, columns=["Metadata_Plate", "Metadata_Well", "Metadata_Site"]).to_csv(folder / "index.csv")
    with pytest.warns(DeprecationWarning, match="CytoTable"):
        data = DeepProfilerData(str(folder / "index.csv"), str(folder), filename_delimiter="_")
        return AggregateDeepProfiler(data, aggregate_operation="mean", aggregate_on="site").aggregate_deep()


def well_map(wells: list[TableWell], path: Path) -> Path:
    roles = {"negcon": "negative_control", "poscon": "positive_control", "trt": "treatment"}
    columns = ["plate", "well", "role", "compound", "concentration_um"]
    rows = [(w.plate, w.well, roles[w.role], w.compound, w.dose_um) for w in wells]
    pd.DataFrame(rows, columns=columns).to_csv(path, index=False)
    return path


def test_profiles_of_deepprofiler_are_read_as_pycytominer_aggregates_them(tmp_path: Path) -> None:
    profiles = deep_profiles(tmp_path)
    profiles.to_csv(tmp_path / "profiles.csv.gz", index=False)
    table = read(tmp_path / "profiles.csv.gz", well_map(design(), tmp_path / "map.csv"))
    assert (card(table).level, card(table).features, card(table).rows) == (TableLevel.SITE, 24, 2 * len(design()))
    assert {well.plate for well in table.screen.wells} == set(PLATES)
    first = profiles[[name for name in profiles.columns if name.startswith("efficientnet_")]].to_numpy()[0]
    np.testing.assert_allclose(table.screen.profiles.vectors[0], first, rtol=1e-5)


def efaar(folder: Path, *, roles: bool = True, unit: bool = True) -> tuple[Path, Path]:
    """Vectors by `well_id` and the metadata of RxRx3: `experiment_name`, plates from 1 on, and `address`.

    The publisher has no roles, so the user adds a column with those of the wells that serve as controls, and says the
    unit of the concentrations.
    """
    embeddings, metadata = rxrx19a(1)
    embeddings = embeddings.rename(columns={"site_id": "well_id"})
    names = {"experiment": "experiment_name", "well": "address"}
    names["treatment_conc"] = "concentration_um" if unit else "concentration"
    unused = ["site_id", "well_id", "site", "disease_condition"]
    table = metadata.drop(columns=unused).rename(columns=names)
    ids = table["experiment_name"] + "_" + table["plate"].astype(str) + "_" + table["address"]
    table["well_id"] = embeddings["well_id"] = ids
    table["gene"], table["perturbation_type"] = "EMPTY_control", "COMPOUND"
    if roles:
        mock = metadata["disease_condition"] == "Mock"
        treated = metadata["treatment"] != ""
        table["role"] = np.select([mock, treated], ["positive_control", "treatment"], "negative_control")
    embeddings.to_parquet(folder / "embeddings.parquet", index=False)
    table.to_csv(folder / "metadata_rxrx3.csv", index=False)
    return folder / "embeddings.parquet", folder / "metadata_rxrx3.csv"


def test_embeddings_of_efaar_are_joined_by_well(tmp_path: Path) -> None:
    table = read(*efaar(tmp_path))
    assert (card(table).level, card(table).scaled, card(table).rows) == (TableLevel.WELL, False, 2 * len(design()))
    wells = table.screen.wells
    assert {well.plate for well in wells} == {"HRCE-1_1", "HRCE-1_2", "VERO-1_1", "VERO-1_2"}
    assert {well.cell_line for well in wells} == {"HRCE", "VERO"}
    assert {well.compound for well in wells if well.role is Role.TREATMENT} == {"CmpA"}
    assert [well.role for well in wells].count(Role.POSITIVE) == 24


@pytest.mark.parametrize(
    ("lacks", "message"),
    [
        ("roles", "embeddings.parquet with metadata_rxrx3.csv.*column 'role' is missing"),
        ("unit", "with metadata_rxrx3.csv, row 1, concentration: the column names no unit"),
    ],
)
def test_what_the_metadata_of_efaar_do_not_say_is_asked_for(lacks: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(Invalid, match=message):
        read(*efaar(tmp_path, **{lacks: False}))
