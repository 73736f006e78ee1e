"""BBBC021 is fetched plate by plate, with its tables, and lies as `gandl screen` reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gandl.fetch.bbbc021 import PLATES, bbbc021, place_of
from gandl.fetch.parts.collection import Choice, Content
from gandl.fetch.parts.run import CollectionJob, CollectionRecord, fetch_collection
from gandl_shared.errors import InvalidImage, NotFound
from gandl_shared.plates import find_sites, find_table, read_plate_map

from tests.cli.fetch.store import Store, storing, tiff, zipped
from tests.shared.plates.map_table.published.tables import bbbc021 as image_table

WELLS = (("B02", "DMSO", "0"), ("B03", "taxol", "0.3"))
EDGES = (8, 10)


def plate(name: str) -> dict[str, bytes]:
    return {
        f"{name}/Week1_150607_{well}_s1_w{channel}A1-B2.tif": tiff(channel, EDGES)
        for well, *_ in WELLS
        for channel in (1, 2, 4)
    }


@pytest.fixture
def store() -> Iterator[Store]:
    files = {
        "/BBBC021_v1_image.csv": image_table(*WELLS, sites=(1,)).encode(),
        "/BBBC021_v1_moa.csv": b"compound,concentration,moa\ntaxol,0.3,Microtubule stabilizers\n",
        **{f"/BBBC021_v1_images_{name}.zip": zipped(plate(name)) for name in PLATES[:2]},
    }
    with storing(files) as running:
        yield running


def run(store: Store, target: Path, choice: Choice, source: Path | None = None) -> CollectionRecord:
    job = CollectionJob(collection=bbbc021(store.url, EDGES), target=target, choice=choice, source=source)
    return fetch_collection(job, on_step=lambda _name: None, on_bytes=lambda _done, _total: None)


def test_a_plate_with_its_tables_can_be_screened(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "bbbc021"
    run(store, target, Choice(experiments=("Week1_22123",)))
    assert sorted(path.name for path in target.iterdir()) == [
        "BBBC021_v1_image.csv",
        "BBBC021_v1_moa.csv",
        "fetched.json",
        "images",
    ]
    table = find_table(target / "images")
    assert table is not None
    plate_map = read_plate_map(table, positive=("taxol",))
    assert [well.metadata["moa"] for well in plate_map.wells] == ["", "Microtubule stabilizers"]
    sites = find_sites(target / "images", plate_map, channels=["DAPI", "Tubulin", "Actin"])
    assert len(sites) == 2
    assert all(site.is_complete and path.is_file() for site in sites for path in site.files)
    assert [path.name for path in tmp_path.iterdir()] == ["bbbc021"]
    assert run(store, target, Choice(experiments=("Week1_22123",))).files == ()


def test_a_week_is_an_experiment_and_an_unknown_one_is_refused(store: Store, tmp_path: Path) -> None:
    target = tmp_path / "bbbc021"
    with pytest.raises(NotFound, match="there are Week1, Week2"):
        run(store, target, Choice(only=(Content.IMAGES,), experiments=("Week11",)))
    assert place_of("Week1_22123/a.tif", Choice(experiments=("week1",))) == ("Week1_22123", "a.tif")
    assert place_of("Week1_22123/a.tif", Choice(experiments=("Week2",))) is None
    assert len(PLATES) == len(set(PLATES)) == 55


def test_an_image_of_another_size_is_refused_and_leaves_no_plate(store: Store, tmp_path: Path) -> None:
    files = plate(PLATES[1])
    files[next(iter(files))] = tiff(0, (8, 11))
    store.files[f"/BBBC021_v1_images_{PLATES[1]}.zip"] = zipped(files)
    target = tmp_path / "bbbc021"
    with pytest.raises(InvalidImage, match="has 11×8 pixels, not 10×8"):
        run(store, target, Choice(only=(Content.IMAGES,), experiments=PLATES[:2]))
    assert [path.name for path in (target / "images").iterdir()] == [PLATES[0]]


def test_folders_of_plates_are_a_local_copy(store: Store, tmp_path: Path) -> None:
    for name, data in plate(PLATES[0]).items():
        path = tmp_path / "copy" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    target = tmp_path / "bbbc021"
    record = run(store, target, Choice(), tmp_path / "copy")
    assert record.absent == ("metadata", "metadata")
    assert len(list((target / "images" / PLATES[0]).iterdir())) == 6
    assert store.requests == []
