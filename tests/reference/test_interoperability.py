"""pycytominer, copairs and AnnData read `embeddings.parquet` as it is."""

from __future__ import annotations

from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from copairs import map as copairs_map
from gandl_analysis.formats.embeddings import write_embeddings
from gandl_shared.plates import SiteId
from gandl_shared.schemas.screen import WellScore
from gandl_shared.store.profiles import join_profiles, site_profiles
from pycytominer import aggregate, normalize

FEATURES = 24
TILES = 4


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Profiles of two plates of 24 wells; the six wells of a compound share a direction."""
    rng = np.random.default_rng(0)
    wells, parts = [], []
    directions = {name: rng.normal(0, 2, FEATURES) for name in ("DMSO", "A", "B", "C")}
    for plate in ("P1", "P2"):
        for i in range(24):
            compound = list(directions)[i % 4]
            well = f"{'ABCD'[i // 6]}{i % 6 + 1:02d}"
            role = "negative_control" if compound == "DMSO" else "treatment"
            dose = None if compound == "DMSO" else 1.0
            scores = {"on": None, "off": None, "efficacy": None, "n_tiles": TILES}
            position = {"plate": plate, "well": well, "role": role, "cell_line": "U2OS"}
            wells.append(WellScore(**position, compound=compound, concentration_um=dose, **scores))
            vectors = (directions[compound] + rng.normal(0, 1, (TILES, FEATURES))).astype(np.float32)
            parts.append(
                site_profiles(SiteId(plate, well, "1"), [(0, 64 * t) for t in range(TILES)], "0" * 64, vectors)
            )
    path = tmp_path_factory.mktemp("profiles") / "embeddings.parquet"
    with path.open("wb") as stream:
        write_embeddings(stream, wells, join_profiles(parts))
    return path


def features(table: pd.DataFrame) -> list[str]:
    return [c for c in table.columns if not c.startswith("Metadata_")]


def well_profiles(file: Path) -> pd.DataFrame:
    table = pd.read_parquet(file)
    strata = ["Metadata_plate", "Metadata_well", "Metadata_role", "Metadata_compound"]
    return aggregate(table, strata=strata, features=features(table), operation="mean")


def test_pycytominer_aggregates_tiles_to_wells(file: Path) -> None:
    table = pd.read_parquet(file)
    wells = well_profiles(file)
    assert len(wells) == 48
    one = table[(table.Metadata_plate == "P1") & (table.Metadata_well == "B03")]
    well = wells[(wells.Metadata_plate == "P1") & (wells.Metadata_well == "B03")]
    np.testing.assert_allclose(well[features(table)].to_numpy()[0], one[features(table)].mean(), rtol=1e-5)


def test_pycytominer_spheres_on_the_negative_controls(file: Path) -> None:
    table = pd.read_parquet(file)
    names = features(table)[:8]
    negative = "Metadata_role == 'negative_control'"
    white = normalize(table, features=names, meta_features="infer", samples=negative, method="spherize")
    sphered = white[white.Metadata_role == "negative_control"][names].to_numpy()
    np.testing.assert_allclose(np.cov(sphered.T), np.eye(8), atol=1e-3)


def test_copairs_finds_replicates(file: Path) -> None:
    wells = well_profiles(file)
    meta = wells[[c for c in wells.columns if c.startswith("Metadata_")]]
    precision = copairs_map.average_precision(
        meta,
        wells[features(wells)].to_numpy(),
        pos_sameby=["Metadata_compound"],
        pos_diffby=["Metadata_plate"],
        neg_sameby=["Metadata_plate"],
        neg_diffby=["Metadata_compound"],
    )
    assert precision.groupby("Metadata_compound")["average_precision"].mean().min() > 0.9


def test_anndata_holds_them(file: Path, tmp_path: Path) -> None:
    table = pd.read_parquet(file)
    names = features(table)
    metadata = table.drop(columns=names).set_index(table.index.astype(str))
    cells = anndata.AnnData(table[names].to_numpy(), obs=metadata, var=pd.DataFrame(index=names))
    cells.write_h5ad(tmp_path / "profiles.h5ad")
    again = anndata.read_h5ad(tmp_path / "profiles.h5ad")
    np.testing.assert_array_equal(again.X, table[names].to_numpy())
    assert list(again.var_names) == names
    assert again.obs["Metadata_compound"].nunique() == 4
