"""`gandl export-zarr`: what other programs read, and nothing half-written."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import zarr
from gandl_shared.imaging import read_site
from gandl_shared.plates import find_sites, read_plate_map

from tests.cases.plates import CHANNELS, fields, write_images, write_plate_map
from tests.cli.command_line import Gandl, command_line
from tests.shared.ome_zarr_py import nodes

SCORES = """plate,well,role,compound,concentration_um,cell_line,on,off,efficacy,off_distance,n_tiles,excluded
P1,{well},treatment,CmpA,30,U2OS,1.5,0.1,0.95,1.2,4,
"""
CURVES = """compound,cell_line,model,verdict,ec50_um,ec50_relation,emax,q_value,flags
CmpA,U2OS,hill,active,0.672,=,0.9,0.001,
"""


@pytest.fixture
def gandl(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Gandl:
    return command_line(monkeypatch, capsys)


@pytest.fixture
def plate(tmp_path: Path) -> Path:
    """A folder with the images of a plate, its plate map, and the scores of one well."""
    write_images(tmp_path / "images")
    rows = list(csv.DictReader(write_plate_map(tmp_path / "platemap.csv").open()))
    well = next(row["well"] for row in rows if row["concentration_um"] == "30")
    (tmp_path / "scores").mkdir()
    (tmp_path / "scores" / "wells.csv").write_text(SCORES.format(well=well))
    (tmp_path / "scores" / "dose_response.csv").write_text(CURVES)
    (tmp_path / "well").write_text(well)
    return tmp_path


@pytest.mark.parametrize("version", ["0.4", "0.5"])
def test_a_plate_is_written_with_its_scores_and_read_again(gandl: Gandl, plate: Path, version: str) -> None:
    out = plate / "P1.zarr"
    options = ["--platemap", plate / "platemap.csv", "--scores", plate / "scores", "--version", version]
    end = gandl("export-zarr", plate / "images", out, *options, "--names", "GFP,DNA", "--pixel-size-um", "0.65")
    assert (end.code, end.out) == (0, f"{out}: {len(fields())} fields of 1 plates as OME-Zarr {version}\n"), end.err
    sites = find_sites(out, read_plate_map(plate / "platemap.csv"))
    assert len(sites) == len(fields())
    for site in sites:
        np.testing.assert_array_equal(read_site(site.files), fields()[site.well])
    well = (plate / "well").read_text()
    path = f"{well[0]}/{int(well[1:])}"
    group = zarr.open_group(out, mode="r")[path]
    assert dict(group.attrs["gandl"]) == {
        "plate": "P1", "well": well, "role": "treatment", "compound": "CmpA", "concentration_um": 30.0,
        "cell_line": "U2OS", "on": 1.5, "off": 0.1, "efficacy": 0.95, "off_distance": 1.2, "n_tiles": 4.0,
        "excluded": None, "verdict": "active", "ec50_um": 0.672, "ec50_relation": "=", "emax": 0.9, "q_value": 0.001,
        "flags": None,
    }  # fmt: skip
    assert len(list(csv.DictReader((out / "wells.csv").open()))) == len(fields())
    image = nodes(out / path / "0")[0]
    assert image.metadata["channel_names"] == list(CHANNELS)
    np.testing.assert_array_equal(np.asarray(image.data[0])[0, :, 0], fields()[well])


def test_several_plates_are_a_folder_of_plates(gandl: Gandl, tmp_path: Path) -> None:
    write_images(tmp_path / "images", lambda well, c: f"{'P1' if well[0] < 'E' else 'P2'}/{well}_s1_w{c + 1}.tif")
    rows = [("P1" if well[0] < "E" else "P2", well, "negative_control", "", "", "U2OS") for well in fields()]
    write_plate_map(tmp_path / "platemap.csv", rows)
    end = gandl("export-zarr", tmp_path / "images", tmp_path / "a.zarr", "--platemap", tmp_path / "platemap.csv")
    assert end.code == 2
    assert "the images are 2 plates, and a.zarr can be one; give a folder without .zarr" in end.err
    end = gandl("export-zarr", tmp_path / "images", tmp_path / "all", "--platemap", tmp_path / "platemap.csv")
    assert end.code == 0, end.err
    assert sorted(path.name for path in (tmp_path / "all").iterdir()) == ["P1.zarr", "P2.zarr"]
    assert len(find_sites(tmp_path / "all", read_plate_map(tmp_path / "platemap.csv", controls=False))) == len(rows)


def test_an_error_leaves_nothing_under_the_name(gandl: Gandl, plate: Path) -> None:
    last = sorted((plate / "images" / "P1").iterdir())[-1]
    last.write_bytes(last.read_bytes()[:500])
    before = sorted(path.name for path in plate.iterdir())
    end = gandl("export-zarr", plate / "images", plate / "P1.zarr", "--platemap", plate / "platemap.csv")
    assert end.code == 2
    assert last.name in end.err
    assert sorted(path.name for path in plate.iterdir()) == before


def test_what_cannot_be_exported_says_why(gandl: Gandl, plate: Path) -> None:
    images, platemap = plate / "images", ["--platemap", plate / "platemap.csv"]
    (plate / "old.zarr").mkdir()
    empty = plate / "empty"
    empty.mkdir()
    (plate / "other").mkdir()
    (plate / "other" / "wells.csv").write_text(SCORES.format(well="P24"))
    (plate / "other" / "dose_response.csv").write_text(CURVES)
    for arguments, words in (
        ([plate / "old.zarr"], "old.zarr is there already; remove it, or give another name"),
        ([plate / "no" / "P1.zarr"], "is not there; make it first"),
        ([plate / "P1.zarr", "--names", "GFP"], "--names has 1 names for 2 channels"),
        ([plate / "P1.zarr", "--scores", empty], "wells.csv is not there; give the output folder of `gandl screen`"),
        ([plate / "P1.zarr", "--scores", plate / "other"], "give the folder of this screen"),
    ):
        end = gandl("export-zarr", images, *arguments, *platemap)
        assert end.code == 2
        assert words in end.err
    assert not (plate / "P1.zarr").exists()
