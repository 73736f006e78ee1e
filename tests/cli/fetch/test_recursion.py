"""RxRx19a and RxRx1 are fetched part by part, from a server or a local copy, and nothing half stays in the target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from gandl.fetch import download
from gandl.fetch.download import Interrupted
from gandl.fetch.parts import remote_zip
from gandl.fetch.parts.collection import Choice, Content
from gandl.fetch.parts.run import CollectionJob, CollectionRecord, fetch_collection
from gandl.fetch.recursion import place_of, rxrx1, rxrx19a
from gandl_shared.errors import BadInput, InvalidImage, Malformed, NotFound, Unavailable
from gandl_shared.plates import find_table, read_plate_map

from tests.cli.fetch.store import Store, png, storing, zipped
from tests.shared.plates.map_table.published.tables import small_rxrx19a

EDGE = 8
NAMES = [
    f"images/{plate}/{well}_s1_w{channel}.png"
    for plate in ("HRCE-1/Plate1", "HRCE-1/Plate2", "VERO-1/Plate1")
    for well in ("AA02", "AA03")
    for channel in (1, 2)
]
IMAGES = {name: png(seed, EDGE) for seed, name in enumerate(NAMES)}
VECTORS = "site_id,feature_0,feature_1\nHRCE-1_1_AA02_1,0.5,-1.25\nHRCE-1_1_AA03_1,2,3e-3\n"
FILES = {
    "/RxRx19a/RxRx19a-metadata.zip": zipped({"RxRx19a/metadata.csv": small_rxrx19a().encode()}),
    "/RxRx19a/RxRx19a-DL-embeddings.zip": zipped({"RxRx19a/embeddings.csv": VECTORS.encode()}),
    "/RxRx19a/RxRx19a-images.zip": zipped({f"RxRx19a/{name}": data for name, data in IMAGES.items()}),
}


@pytest.fixture
def store() -> Iterator[Store]:
    with storing(FILES) as running:
        yield running


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.time, "sleep", lambda _seconds: None)
    monkeypatch.setattr(remote_zip.time, "sleep", lambda _seconds: None)


def job(store: Store, target: Path, *, source: Path | None = None, **choice: tuple[object, ...]) -> CollectionJob:
    return CollectionJob(
        collection=rxrx19a(store.url, EDGE),
        target=target / "rxrx19a",
        choice=Choice(**choice),  # type: ignore[arg-type]
        source=source,
    )


def run(todo: CollectionJob) -> CollectionRecord:
    # The needed space is that of the real data set.
    todo.collection.parts[2].file.__dict__["about"] = 0
    return fetch_collection(todo, on_step=lambda _name: None, on_bytes=lambda _done, _total: None)


def names(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_everything_is_fetched_in_the_layout_of_the_publisher(store: Store, tmp_path: Path) -> None:
    todo = job(store, tmp_path)
    record = run(todo)
    assert names(todo.target) == {"metadata.csv", "embeddings.parquet", "fetched.json", *NAMES}
    assert [path.name for path in tmp_path.iterdir()] == ["rxrx19a"]
    assert (todo.target / NAMES[0]).read_bytes() == IMAGES[NAMES[0]]
    assert record.verification == "unverified"
    stored = json.loads((todo.target / "fetched.json").read_text())
    assert (stored["licence"][:9], stored["verification"]) == ("CC BY 4.0", "unverified")
    assert {file["name"] for file in stored["files"]} == {path.rsplit("/")[-1] for path in FILES}
    assert find_table(todo.target / "images") == todo.target / "metadata.csv"
    assert read_plate_map(todo.target / "metadata.csv").plates == ("HRCE-1_1",)
    table = pq.read_table(todo.target / "embeddings.parquet")
    assert table.column_names == ["site_id", "feature_0", "feature_1"]
    assert table.to_pylist()[1]["feature_0"] == 2.0


def test_parts_and_plates_are_chosen_and_added(store: Store, tmp_path: Path) -> None:
    todo = job(store, tmp_path, only=(Content.EMBEDDINGS,))
    run(todo)
    assert names(todo.target) == {"embeddings.parquet", "fetched.json"}
    run(job(store, tmp_path, only=(Content.IMAGES,), cell_types=("vero",)))
    assert {name for name in names(todo.target) if name.endswith("png")} == set(NAMES[8:])
    run(job(store, tmp_path, experiments=("HRCE-1",)))
    assert names(todo.target) == {"metadata.csv", "embeddings.parquet", "fetched.json", *NAMES}
    store.requests.clear()
    assert run(job(store, tmp_path, only=(Content.METADATA, Content.EMBEDDINGS))).complete == 2
    assert store.requests == []
    with pytest.raises(NotFound, match="no image of the chosen cell types"):
        run(job(store, tmp_path, only=(Content.IMAGES,), experiments=("HRCE-9",)))


def test_only_the_chosen_images_are_transferred(store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    big = {name: png(seed, 128) for seed, name in enumerate(NAMES)}
    store.files["/RxRx19a/RxRx19a-images.zip"] = zipped(big)
    monkeypatch.setattr(remote_zip, "BLOCK_BYTES", 20_000)
    monkeypatch.setattr(remote_zip.RemoteFileStream.__init__, "__kwdefaults__", {"block_bytes": 20_000, "pause": 0.0})
    todo = CollectionJob(
        collection=rxrx19a(store.url, 128),
        target=tmp_path / "rxrx19a",
        choice=Choice(only=(Content.IMAGES,), experiments=("VERO-1",)),
    )
    run(todo)
    ends = [tuple(map(int, text.removeprefix("bytes=").split("-"))) for _, text in store.requests if text]
    assert sum(end - start + 1 for start, end in ends) < len(store.files["/RxRx19a/RxRx19a-images.zip"]) * 0.75


def test_a_broken_connection_goes_on_where_it_was(store: Store, tmp_path: Path) -> None:
    whole = len(FILES["/RxRx19a/RxRx19a-images.zip"])
    store.cut_after = [1, 100, whole]
    run(job(store, tmp_path, only=(Content.IMAGES,)))
    assert names(tmp_path / "rxrx19a") == {"fetched.json", *NAMES}


def test_what_is_complete_stays_after_an_interruption(store: Store, tmp_path: Path) -> None:
    spoilt = dict(IMAGES)
    spoilt[NAMES[6]] = b"no image"
    store.files["/RxRx19a/RxRx19a-images.zip"] = zipped(spoilt)
    todo = job(store, tmp_path, only=(Content.IMAGES,))
    with pytest.raises(InvalidImage, match=r"HRCE-1/Plate2/AA03_s1_w1.png is no image that can be decoded"):
        run(todo)
    assert names(todo.target) == set(NAMES[:4])
    store.files["/RxRx19a/RxRx19a-images.zip"] = zipped(IMAGES)
    run(todo)
    assert names(todo.target) == {"fetched.json", *NAMES}
    assert [path.name for path in tmp_path.iterdir()] == ["rxrx19a"]


def test_a_download_that_stops_three_times_is_continued_by_the_next_call(store: Store, tmp_path: Path) -> None:
    todo = job(store, tmp_path, only=(Content.METADATA,))
    store.cut_after = [50, 0, 0]
    with pytest.raises(Interrupted, match="run the same command again and it continues there"):
        run(todo)
    assert not todo.target.exists()
    store.requests.clear()
    run(todo)
    assert store.requests == [("/RxRx19a/RxRx19a-metadata.zip", "bytes=50-")]
    assert names(todo.target) == {"metadata.csv", "fetched.json"}


BAD = {
    "wrong size": ("images", zipped({**IMAGES, NAMES[0]: png(1, 9)}), InvalidImage, "has 9×9 pixels, not 8×8"),
    "half an archive": ("images", FILES["/RxRx19a/RxRx19a-images.zip"][:700], Malformed, "not a complete ZIP archive"),
    "no archive": ("metadata", b"site_id,plate\n", Malformed, "is not a ZIP archive; it may be half a download"),
    "half metadata": ("metadata", FILES["/RxRx19a/RxRx19a-metadata.zip"][:90], Malformed, "not a complete ZIP archive"),
    "another table": ("metadata", zipped({"metadata.csv": b"a,b\n1,2\n"}), Malformed, "a table with the columns a, b"),
    "the other data set": (
        "metadata",
        zipped({"metadata.csv": small_rxrx19a().replace("treatment,", "sirna,").encode()}),
        Malformed,
        "and not the metadata.csv of this data set",
    ),
    "a row that is cut": (
        "metadata",
        zipped({"metadata.csv": small_rxrx19a().encode()[:-60]}),
        Malformed,
        "of metadata.csv of RxRx19a-metadata.zip has . cells, the header 11; the file may be half",
    ),
    "a cell that is cut": (
        "metadata",
        zipped({"metadata.csv": small_rxrx19a().encode()[:-4]}),
        Malformed,
        "does not end with a line break, so that its last row may be cut",
    ),
    "a doubled id": (
        "metadata",
        zipped({"metadata.csv": (small_rxrx19a() + small_rxrx19a().splitlines()[3] + "\n").encode()}),
        Malformed,
        "has site_id HRCE-1_1_AA02_3, as row 4 has; keep one",
    ),
    "vectors that are cut": (
        "embeddings",
        zipped({"embeddings.csv": VECTORS[:-1].encode()}),
        Malformed,
        "does not end with a line break",
    ),
    "vectors of the other data set": (
        "embeddings",
        zipped({"embeddings.csv": VECTORS.replace("HRCE-1", "U2OS-01").encode()}),
        Malformed,
        r"has the vectors of RxRx1 \(site_id U2OS-01_1_AA02_1\), and not those of RxRx19a",
    ),
    "a page in the archive": ("metadata", zipped({"metadata.csv": b"<html>"}), Malformed, "is an HTML page"),
    "no table": ("metadata", zipped({"README": b"x"}), Malformed, "holds no metadata.csv; it has README"),
    "half a row": ("embeddings", zipped({"embeddings.csv": VECTORS[:-8].encode()}), Malformed, "half a download"),
}


@pytest.mark.parametrize(("part", "content", "error", "words"), BAD.values(), ids=BAD)
def test_bad_content_is_named_and_leaves_nothing(
    store: Store, tmp_path: Path, part: str, content: bytes, error: type[BadInput], words: str
) -> None:
    path = next(name for name in FILES if part in name)
    store.files[path] = content
    todo = job(store, tmp_path, only=(Content(part),))
    with pytest.raises(error, match=words):
        run(todo)
    assert not todo.target.exists() or not names(todo.target)


def test_a_page_and_a_server_without_ranges_are_refused(store: Store, tmp_path: Path) -> None:
    store.page = True
    for content in Content:
        with pytest.raises(Malformed, match="HTML page"):
            run(job(store, tmp_path, only=(content,)))
    store.page, store.honours_ranges = False, False
    with pytest.raises(Unavailable, match="does not answer requests for a part of it"):
        run(job(store, tmp_path, only=(Content.IMAGES,)))


def test_a_local_copy_needs_no_network(store: Store, tmp_path: Path) -> None:
    source = tmp_path / "copy"
    for name, data in IMAGES.items():
        (source / name).parent.mkdir(parents=True, exist_ok=True)
        (source / name).write_bytes(data)
    (source / "embeddings.csv").write_text(VECTORS)
    todo = job(store, tmp_path, source=source)
    record = run(todo)
    assert record.absent == ("metadata",)
    assert names(todo.target) == {"embeddings.parquet", "fetched.json", *NAMES}
    assert store.requests == []
    # The images of a copy on the same disk take no space of their own.
    assert (todo.target / NAMES[0]).stat().st_nlink == 2
    with pytest.raises(NotFound, match="holds no part of rxrx19a"):
        run(job(store, tmp_path / "other", source=tmp_path / "copy" / "images" / "HRCE-1"))
    with pytest.raises(NotFound, match="is not there"):
        run(job(store, tmp_path / "other", source=tmp_path / "nothing"))


def test_a_local_archive_is_a_source(store: Store, tmp_path: Path) -> None:
    archive = tmp_path / "RxRx19a-images.zip"
    archive.write_bytes(FILES["/RxRx19a/RxRx19a-images.zip"])
    todo = job(store, tmp_path, source=archive, only=(Content.IMAGES,), experiments=("HRCE-1",))
    run(todo)
    assert names(todo.target) == {"fetched.json", *NAMES[:8]}
    assert archive.exists()


def test_a_disk_that_is_too_small_is_told_before_the_download(store: Store, tmp_path: Path) -> None:
    todo = job(store, tmp_path)
    object.__setattr__(todo.collection.parts[1].file, "about", 10**18)
    with pytest.raises(BadInput, match="choose parts with --only, --experiment or --cell-type"):
        run(todo)
    assert store.requests == []


def test_images_are_placed_by_experiment_and_plate() -> None:
    path = "rxrx1/images/HUVEC-01/Plate4/B02_s1_w6.png"
    assert place_of(path, Choice()) == ("HUVEC-01/Plate4", "B02_s1_w6.png")
    assert place_of(path, Choice(cell_types=("HEPG2", "huvec"))) is not None
    assert place_of(path, Choice(experiments=("HUVEC-02",))) is None
    assert place_of("rxrx1/README.md", Choice()) is None
    assert [file.name for part in rxrx1().parts for file in part.remote_files(Choice())] == [
        "rxrx1-metadata.zip",
        "rxrx1-dl-embeddings.zip",
        "rxrx1-images.zip",
    ]
