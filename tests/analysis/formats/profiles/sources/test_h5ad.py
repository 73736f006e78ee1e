"""AnnData is read as anndata writes it, and a file that leads to another one is refused."""

from __future__ import annotations

from pathlib import Path

import anndata
import h5py
import numpy as np
import pandas as pd
import pytest
from gandl_analysis.formats.profiles.sources.h5ad import H5adSource
from gandl_shared.errors import InvalidTable
from scipy import sparse

X = np.array([[1.0, 0, 3], [0, 5, 0], [7, 0, 9]])


def write(path: Path, x: object = X) -> Path:
    obs = pd.DataFrame(
        {
            "Metadata_Well": pd.Categorical(["A01", "A02", None]),
            "Metadata_Plate": ["P", "P", "Q"],
            "dose": [1.0, np.nan, 2.5],
            "n": pd.array([1, None, 3], dtype="Int64"),
            "flag": [True, False, True],
        },
        index=["r1", "r2", "r3"],
    )
    anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=["a", "b", "c"])).write_h5ad(path)
    return path


@pytest.mark.parametrize("x", [X, sparse.csr_matrix(X), X.astype(np.float32)], ids=["dense", "sparse", "float32"])
def test_x_is_read_dense_and_sparse(x: object, tmp_path: Path) -> None:
    source = H5adSource(write(tmp_path / "t.h5ad", x))
    assert source.features == ("a", "b", "c")
    np.testing.assert_array_equal(np.concatenate(list(source.blocks(["c", "a"]))), X[:, [2, 0]])


def test_columns_of_every_type_become_texts(tmp_path: Path) -> None:
    source = H5adSource(write(tmp_path / "t.h5ad"))
    names = ["obs_names", "Metadata_Well", "Metadata_Plate", "dose", "n", "flag"]
    columns = source.texts(names).columns
    assert {name: columns[name].texts() for name in names} == {
        "obs_names": ["r1", "r2", "r3"],
        "Metadata_Well": ["A01", "A02", ""],
        "Metadata_Plate": ["P", "P", "Q"],
        "dose": ["1", "", "2.5"],
        "n": ["1", "", "3"],
        "flag": ["True", "False", "True"],
    }


def test_a_link_to_another_file_is_refused(tmp_path: Path) -> None:
    write(tmp_path / "other.h5ad")
    with h5py.File(write(tmp_path / "t.h5ad"), "r+") as file:
        del file["X"]
        file["X"] = h5py.ExternalLink(str(tmp_path / "other.h5ad"), "X")
    with pytest.raises(InvalidTable, match="t.h5ad: .*X is a link, which may lead to another file"):
        H5adSource(tmp_path / "t.h5ad")


def test_data_in_another_file_are_refused(tmp_path: Path) -> None:
    (tmp_path / "raw").write_bytes(X.tobytes())
    with h5py.File(write(tmp_path / "t.h5ad"), "r+") as file:
        del file["X"]
        file.create_dataset("X", X.shape, X.dtype, external=[(str(tmp_path / "raw"), 0, h5py.h5f.UNLIMITED)])
    with pytest.raises(InvalidTable, match="the data of X lie in another file"):
        H5adSource(tmp_path / "t.h5ad")


def test_a_wrong_number_of_names_is_refused(tmp_path: Path) -> None:
    with h5py.File(write(tmp_path / "t.h5ad"), "r+") as file:
        del file["X"]
        file["X"] = X[:, :2]
    with pytest.raises(InvalidTable, match="var names 3 features, but X has 2 columns"):
        H5adSource(tmp_path / "t.h5ad")
