"""Tables of other programs give one analysis input: the same wells and vectors in any file, and refusals by name."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import anndata
import numpy as np
import pandas as pd
import pytest
from gandl_analysis.formats.profiles.read import ProfileTable, TableOptions, read_profile_table
from gandl_analysis.pipeline.analyse import analyse
from gandl_shared.errors import BadInput, Invalid
from gandl_shared.models import FeatureRule, TableCard
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.vocabulary import TableLevel, Verdict
from pycytominer import aggregate, annotate

from tests.analysis.formats.profiles.tables import DOSES_UM, FEATURES, cells, design, profiles, rxrx19a


def read(path: Path, **options: object) -> ProfileTable:
    return read_profile_table(path, AnalysisParameters(), replace(TableOptions(), **options))


def card(table: ProfileTable) -> TableCard:
    assert isinstance(table.screen.card, TableCard)
    return table.screen.card


def write_h5ad(frame: pd.DataFrame, path: Path) -> None:
    names = [name for name in frame.columns if not name.startswith("Metadata_")]
    obs = frame.drop(columns=names).set_index(frame.index.astype(str))
    anndata.AnnData(frame[names].to_numpy(), obs=obs, var=pd.DataFrame(index=names)).write_h5ad(path)


WRITERS: dict[str, Callable[[pd.DataFrame, Path], object]] = {
    "p.parquet": lambda frame, path: frame.to_parquet(path),
    "p.csv": lambda frame, path: frame.to_csv(path),
    "p.tsv": lambda frame, path: frame.to_csv(path, index=False, sep="\t"),
    "german.csv": lambda frame, path: frame.to_csv(path, index=False, sep=";", decimal=","),
    "p.csv.gz": lambda frame, path: frame.to_csv(path, index=False),
    "p.h5ad": write_h5ad,
}


@pytest.mark.parametrize("name", WRITERS)
def test_every_kind_of_file_gives_the_same_wells_and_vectors(name: str, tmp_path: Path) -> None:
    WRITERS[name](profiles(), tmp_path / name)
    WRITERS["p.parquet"](profiles(), tmp_path / "reference.parquet")
    table, reference = read(tmp_path / name).screen, read(tmp_path / "reference.parquet").screen
    assert [replace(w, table_row=0) for w in table.wells] == [replace(w, table_row=0) for w in reference.wells]
    np.testing.assert_allclose(table.profiles.vectors, reference.profiles.vectors, atol=1e-5)
    assert list(table.profiles.wells) == list(reference.profiles.wells)


def test_roles_compounds_and_doses_are_those_of_jump(tmp_path: Path) -> None:
    profiles().to_parquet(tmp_path / "p.parquet")
    table = read(tmp_path / "p.parquet")
    wells = table.screen.wells
    assert [w.role for w in wells].count(Role.POSITIVE) == 12
    assert [w.role for w in wells].count(Role.NEGATIVE) == 12
    assert {w.concentration_um for w in wells if w.role is Role.TREATMENT} == set(DOSES_UM)
    assert {w.compound for w in wells if w.role is Role.TREATMENT} == {"CmpA"}
    assert (card(table).level, card(table).features, card(table).scaled) == (TableLevel.WELL, FEATURES, True)


def test_the_result_is_that_of_the_design(tmp_path: Path) -> None:
    profiles().to_parquet(tmp_path / "p.parquet")
    (curve,) = analyse(read(tmp_path / "p.parquet").screen).analysis.curves
    assert curve.verdict is Verdict.ACTIVE
    assert curve.ec50.value == pytest.approx(0.5, rel=0.5)


def test_profiles_of_pycytominer_are_read_as_it_writes_them(tmp_path: Path) -> None:
    """Its `aggregate` and `annotate`, with the columns of a LINCS plate map."""
    table = profiles()
    names = [name for name in table.columns if name.startswith(("Cells_", "Cytoplasm_", "Nuclei_"))]
    twice = pd.concat([table, table])
    wells = aggregate(twice, strata=["Metadata_Plate", "Metadata_Well"], features=names, operation="median")
    platemap = pd.DataFrame(
        {
            "plate_name": [w.plate for w in design()],
            "well_position": [w.well for w in design()],
            "broad_sample": [w.compound for w in design()],
            "mmoles_per_liter": [w.dose_um for w in design()],
            "pert_type": [w.role for w in design()],
        }
    )
    annotated = annotate(
        wells,
        platemap=platemap,
        join_on=[["Metadata_plate_name", "Metadata_well_position"], ["Metadata_Plate", "Metadata_Well"]],
    )
    annotated.to_csv(tmp_path / "annotated.csv.gz", index=False)
    screen = read(tmp_path / "annotated.csv.gz").screen
    assert len(screen.wells) == len(design())
    assert {w.compound for w in screen.wells} == {"DMSO", "PosA", "CmpA"}
    assert {w.concentration_um for w in screen.wells if w.role is Role.TREATMENT} == set(DOSES_UM)


def test_embeddings_of_rxrx19a_are_joined_by_site(tmp_path: Path) -> None:
    embeddings, metadata = rxrx19a()
    embeddings.to_csv(tmp_path / "embeddings.csv", index=False)
    metadata.sample(frac=1, random_state=0).to_csv(tmp_path / "metadata.csv", index=False)
    table = read(tmp_path / "embeddings.csv", plate_map=tmp_path / "metadata.csv")
    screen = table.screen
    assert (card(table).level, card(table).scaled, card(table).rows) == (TableLevel.SITE, False, 2 * 2 * len(design()))
    assert {w.plate for w in screen.wells} == {"HRCE-1_1", "HRCE-1_2", "VERO-1_1", "VERO-1_2"}
    assert {w.cell_line for w in screen.wells} == {"HRCE", "VERO"}
    assert set(screen.profiles.sites) == {"1", "2"}
    index = {
        (f"{e}_{p}", w, str(s)): i
        for i, (e, p, w, s) in enumerate(metadata[["experiment", "plate", "well", "site"]].to_numpy())
    }
    rows = [
        index[key] for key in zip(screen.profiles.plates, screen.profiles.wells, screen.profiles.sites, strict=True)
    ]
    expected = embeddings.drop(columns="site_id").to_numpy()[rows]
    np.testing.assert_allclose(screen.profiles.vectors, expected, rtol=1e-5)


def test_cells_of_cytotable_are_averaged_to_their_images(tmp_path: Path) -> None:
    cells().to_parquet(tmp_path / "cells.parquet")
    table = read(tmp_path / "cells.parquet")
    assert (card(table).level, card(table).rows) == (TableLevel.CELL, 6 * len(design()))
    assert len(table.screen.profiles) == 2 * len(design())
    assert f"The cells were averaged to {2 * len(design())} fields of view" in table.screen.notes


def test_a_plate_map_beside_the_table_says_what_the_wells_hold(tmp_path: Path) -> None:
    table = profiles()
    table.drop(
        columns=[n for n in table.columns if n.startswith("Metadata_") and n[9:] not in ("Plate", "Well")]
    ).to_csv(tmp_path / "p.csv", index=False)
    roles = {"negcon": "negative_control", "poscon": "positive_control", "trt": "treatment"}
    pd.DataFrame(
        [(w.plate, w.well.lower(), roles[w.role], w.compound, w.dose_um) for w in design()],
        columns=["plate", "well", "role", "compound", "concentration_um"],
    ).to_csv(tmp_path / "map.csv", index=False)
    screen = read(tmp_path / "p.csv", plate_map=tmp_path / "map.csv").screen
    assert len(screen.profiles) == len(screen.wells) == len(design())


def test_features_are_left_out_by_rule_and_counted(tmp_path: Path) -> None:
    table = profiles()
    names = list(table.columns[6:])
    table["Cells_AreaShape_Center_X"] = 1.0 * np.arange(len(table))
    table["Nuclei_Constant"] = 3.0
    table["Nuclei_Twin"] = table[names[0]]
    table["Cells_Gaps"] = np.where(np.arange(len(table)) % 9 == 0, np.nan, np.arange(len(table)))
    table["Cells_Spike"] = np.sin(np.arange(len(table)))
    table.loc[3, "Cells_Spike"] = 1e6
    table.loc[5, names[1]] = np.inf
    table.to_parquet(tmp_path / "p.parquet")
    profile_table = read(tmp_path / "p.parquet")
    assert card(profile_table).left_out == dict.fromkeys(FeatureRule, 1)
    assert (card(profile_table).features, card(profile_table).filled) == (FEATURES, 1)
    assert np.isfinite(profile_table.screen.profiles.vectors).all()
    rules = {line.split(",")[0]: line.split(",")[2] for line in profile_table.features.splitlines()[1:]}
    assert rules["Nuclei_Twin"] == "duplicated"
    assert rules[names[0]] == ""
    assert "24 of 29 features are used" in " ".join(profile_table.screen.notes)


def test_a_well_without_numbers_is_listed_with_its_reason(tmp_path: Path) -> None:
    table = profiles()
    table.iloc[4, 6:] = np.nan
    table.to_parquet(tmp_path / "p.parquet")
    screen = read(tmp_path / "p.parquet").screen
    assert [(p.well, p.error) for p in screen.parked] == [(design()[4].well, "24 of 24 features have no number")]
    assert len(screen.profiles) == len(design()) - 1


def test_without_doses_there_are_efficacies_and_a_note(tmp_path: Path) -> None:
    profiles().drop(columns="Metadata_mmoles_per_liter").to_parquet(tmp_path / "p.parquet")
    screen = read(tmp_path / "p.parquet").screen
    assert any("No column names the concentration" in note for note in screen.notes)


def _doubled(table: pd.DataFrame) -> pd.DataFrame:
    return pd.concat([table, table.iloc[[3]]], ignore_index=True)


def _text(table: pd.DataFrame) -> pd.DataFrame:
    changed = table.astype({table.columns[8]: object})
    changed.iloc[40, 8] = "n/d"
    return changed


def _swapped(table: pd.DataFrame) -> pd.DataFrame:
    changed = _doubled(table)
    changed.loc[len(changed) - 1, "Metadata_JCP2022"] = "Other"
    return changed


BAD_TABLES: dict[str, tuple[Callable[[pd.DataFrame], pd.DataFrame], str]] = {
    "no plate": (lambda t: t.drop(columns="Metadata_Plate"), "column 'plate' is missing; name it Metadata_Plate"),
    "no well": (lambda t: t.drop(columns="Metadata_Well"), "column 'well' is missing; name it Metadata_Well"),
    "no roles": (
        lambda t: t.drop(columns=["Metadata_pert_type", "Metadata_control_type"]),
        "column 'role' is missing",
    ),
    "no features": (lambda t: t.iloc[:, :6], "no name says which columns are features"),
    "doubled": (_doubled, "row 62: Metadata_Plate BR1, Metadata_Well .* is in row 5 already; keep one"),
    "contradiction": (_swapped, "rows 5 and 62 belong to one well, but say '.*' and 'Other'; correct one"),
    "text": (_text, "row 42, Nuclei_Texture_Entropy_2: 'n/d' is no number"),
    "no rows": (lambda t: t.iloc[:0], "has no rows"),
}


@pytest.mark.parametrize("case", BAD_TABLES)
def test_a_table_that_cannot_be_used_is_refused_by_name(case: str, tmp_path: Path) -> None:
    change, message = BAD_TABLES[case]
    change(profiles()).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(Invalid, match=message) as error:
        read(tmp_path / "p.csv")
    assert "p.csv" in str(error.value)


def test_vectors_without_metadata_are_named(tmp_path: Path) -> None:
    embeddings, metadata = rxrx19a(1)
    embeddings.to_csv(tmp_path / "embeddings.csv", index=False)
    metadata.drop(index=[7, 8]).to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(
        Invalid, match=r"2 vectors without metadata.*row 9, site_id: 'HRCE-1_1_H01_1' is not in metadata.csv"
    ):
        read(tmp_path / "embeddings.csv", plate_map=tmp_path / "metadata.csv")


def test_vectors_of_one_data_set_with_the_metadata_of_another_are_refused_by_name(tmp_path: Path) -> None:
    vectors, metadata = rxrx19a(1)
    metadata.to_csv(tmp_path / "metadata.csv", index=False)
    ids = [f"HEPG2-01_1_B{row:02d}_1" for row in range(len(vectors))]
    vectors.assign(site_id=ids).to_csv(tmp_path / "embeddings.csv", index=False)
    with pytest.raises(
        Invalid, match="vectors are those of RxRx1, such as HEPG2-01_1_B00_1, and metadata.csv is the m"
    ):
        read(tmp_path / "embeddings.csv", plate_map=tmp_path / "metadata.csv")


def test_a_site_that_is_marked_to_be_left_out_is_not_kept_in_silence(tmp_path: Path) -> None:
    table = profiles()
    table["Metadata_excluded"] = [1.0 if row == 5 else None for row in range(len(table))]
    table.to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(Invalid, match="row 7, Metadata_excluded: '1.0' marks a well to leave out"):
        read(tmp_path / "p.csv")


def test_a_site_that_the_metadata_name_twice_is_refused(tmp_path: Path) -> None:
    embeddings, metadata = rxrx19a(1)
    embeddings.to_csv(tmp_path / "embeddings.csv", index=False)
    pd.concat([metadata, metadata.iloc[[2]]]).to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(Invalid, match="site_id 'HRCE-1_1_C01_1' is in row 4 already"):
        read(tmp_path / "embeddings.csv", plate_map=tmp_path / "metadata.csv")


def test_a_site_that_has_two_vectors_is_refused(tmp_path: Path) -> None:
    embeddings, metadata = rxrx19a(1)
    pd.concat([embeddings, embeddings.iloc[[2]]]).to_csv(tmp_path / "embeddings.csv", index=False)
    metadata.to_csv(tmp_path / "metadata.csv", index=False)
    with pytest.raises(Invalid, match="row 122.* is in row 4 already"):
        read(tmp_path / "embeddings.csv", plate_map=tmp_path / "metadata.csv")


def test_embeddings_alone_say_what_is_missing(tmp_path: Path) -> None:
    rxrx19a(1)[0].to_csv(tmp_path / "embeddings.csv", index=False)
    with pytest.raises(Invalid, match="column 'plate' is missing; .* or give --platemap"):
        read(tmp_path / "embeddings.csv")


BAD_FILES = {
    "page.csv": (b"<!DOCTYPE html><html><body>404</body></html>", "is a page of HTML or XML"),
    "lfs.parquet": (b"version https://git-lfs.github.com/spec/v1\noid sha256:1\n", "pointer of Git LFS"),
    "error.csv": (b'{"message": "Not Found"}', "is JSON and no table"),
    "empty.csv": (b"", "is empty"),
    "blob.csv": (b"abc\0\0def" * 100, "is no text"),
    "book.csv": (b"PK\x03\x04rest", "is a ZIP archive or a workbook"),
    "cells.sqlite": (b"SQLite format 3\0", "convert it to Parquet, for example with CytoTable"),
    "half.h5ad": (b"\x89HDF\r\n\x1a\n" + bytes(40), "cannot be read as AnnData"),
    "half.parquet": (b"PAR1" + bytes(400), "cannot be read as Parquet"),
}


@pytest.mark.parametrize("name", BAD_FILES)
def test_a_file_that_is_no_table_is_refused_by_name(name: str, tmp_path: Path) -> None:
    content, message = BAD_FILES[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadInput, match=message) as error:
        read(tmp_path / name)
    assert name in str(error.value)


@pytest.mark.parametrize("name", ["p.parquet", "p.csv", "p.csv.gz", "p.h5ad"])
@pytest.mark.parametrize("share", [0.3, 0.9])
def test_half_a_download_is_refused_by_name(name: str, share: float, tmp_path: Path) -> None:
    WRITERS[name](profiles(), tmp_path / name)
    content = (tmp_path / name).read_bytes()
    (tmp_path / name).write_bytes(content[: int(len(content) * share)])
    with pytest.raises(BadInput, match=name):
        read(tmp_path / name)


def test_a_number_that_may_be_cut_is_noted(tmp_path: Path) -> None:
    profiles().to_csv(tmp_path / "p.csv", index=False)
    content = (tmp_path / "p.csv").read_bytes()
    (tmp_path / "p.csv").write_bytes(content[:-3])
    assert (
        "p.csv does not end with a line break, so that its last row may have been cut"
        in read(tmp_path / "p.csv").screen.notes
    )


def test_the_same_values_have_the_same_identity_in_any_file(tmp_path: Path) -> None:
    profiles().to_csv(tmp_path / "p.csv", index=False, float_format="%.6g")
    pd.read_csv(tmp_path / "p.csv").to_parquet(tmp_path / "p.parquet")
    (tmp_path / "p.csv.gz").write_bytes(gzip.compress((tmp_path / "p.csv").read_bytes()))
    tables = [read(tmp_path / name) for name in ("p.csv", "p.parquet", "p.csv.gz")]
    assert len({table.screen.model_id for table in tables}) == 1
    assert len({tuple(table.screen.profiles.keys) for table in tables}) == 1
