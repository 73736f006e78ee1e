"""The contract of a store, in a folder and on an fsspec file system."""

from __future__ import annotations

import itertools
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from gandl_shared.errors import Malformed, NotFound
from gandl_shared.imaging import SiteMetrics
from gandl_shared.plates import SiteId
from gandl_shared.store import Profiles, Store, join_profiles, site_profiles, write_profiles

_numbers = itertools.count()


@pytest.fixture(params=["folder", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    return str(tmp_path / "store") if request.param == "folder" else f"memory://store-{next(_numbers)}"


@pytest.fixture
def store(root: str) -> Store:
    return Store(root)


def vectors(well: str, *, site: str = "1", tiles: int = 3, value: float = 1.0) -> Profiles:
    numbers = np.linspace(0, 1, tiles * 512, dtype=np.float32).reshape(tiles, 512) * np.float32(value / 3)
    return site_profiles(SiteId("P1", well, site), [(0, 64 * n) for n in range(tiles)], f"key-{well}-{site}", numbers)


def test_vectors_come_back_bit_for_bit(store: Store, root: str) -> None:
    expected = join_profiles([vectors("A01"), vectors("A02", site="007", value=-2.5)])
    store.put_vectors("s1", 0, expected)
    for reader in (store, Store(root)):
        stored = reader.profiles("s1")
        for name in ("plates", "wells", "sites", "tiles", "y", "x", "keys", "vectors"):
            np.testing.assert_array_equal(getattr(stored, name), getattr(expected, name))
        assert (stored.vectors.dtype, stored.tiles.dtype) == (np.float32, np.int32)


def measured(well: str, value: float) -> Profiles:
    values = np.array([value, value / 3, np.nextafter(np.float32(value), np.float32(9))], np.float32)
    metrics = SiteMetrics(sharpness=values, saturated=values, structure=values, stripes=values, similarity=values)
    ones = np.ones((2, 4), np.float32)
    return site_profiles(SiteId("P1", well, "1"), [(0, 0), (0, 64)], "key", ones, metrics, values[:2])


def test_metrics_of_the_sites_come_back_bit_for_bit(store: Store) -> None:
    expected = join_profiles([measured("A01", 0.1), measured("A02", 2 / 3)])
    store.put_vectors("s1", 0, expected)
    stored = store.profiles("s1")
    for name in ("sharpness", "saturated", "structure"):
        assert getattr(stored, name).shape == (4, 3)
        np.testing.assert_array_equal(getattr(stored, name), getattr(expected, name))
    np.testing.assert_array_equal(stored.contrast, expected.contrast)
    assert stored.contrast.shape == (4,)


def test_files_of_versions_without_metrics_are_read_beside_others(store: Store) -> None:
    store.put_vectors("s1", 0, measured("A01", 0.5))
    store.put_vectors("s1", 1, site_profiles(SiteId("P1", "A02", "1"), [(0, 0)], "key", np.ones((1, 4), np.float32)))
    stored = store.profiles("s1")
    assert stored.has_site_metrics and not store.vectors("s1", 1).has_site_metrics
    assert np.isnan(stored.sharpness).tolist() == [[False] * 3] * 2 + [[True] * 3]


def test_order_is_that_of_the_plate_map_whichever_batch_came_first(store: Store) -> None:
    wells = [f"A{n:02d}" for n in range(1, 13)]
    for n in (11, 2, 10, 0, 7, 1, 3, 9, 8, 4, 6, 5):
        store.put_vectors("s1", n, vectors(wells[n]))
    assert list(dict.fromkeys(store.profiles("s1").wells)) == wells


def test_writing_a_batch_again_replaces_it(store: Store) -> None:
    store.put_vectors("s1", 0, vectors("A01", tiles=5))
    store.put_vectors("s1", 0, vectors("A02", tiles=2))
    stored = store.profiles("s1")
    assert list(stored.wells) == ["A02", "A02"]


def test_many_writers_of_one_batch_leave_a_whole_file(store: Store) -> None:
    expected = [vectors("A01", value=float(n + 1)) for n in range(8)]
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda v: store.put_vectors("s1", 0, v), expected * 4))
    stored = store.profiles("s1").vectors
    assert any(np.array_equal(stored, v.vectors) for v in expected)


def test_a_batch_is_read_alone(store: Store) -> None:
    store.put_vectors("s1", 3, vectors("A01"))
    stored = store.vectors("s1", 3)
    assert stored is not None
    assert len(stored) == 3
    assert store.vectors("s1", 4) is None


def test_documents(store: Store) -> None:
    store.put_document("s1", "analyses/1/result.json", '{"µ": 1}')
    store.put_document("s1", "analyses/1/result.json", '{"µ": 2}')
    store.put_document("s1", "report.html", b"\x00")
    assert store.document("s1", "analyses/1/result.json") == '{"µ": 2}'.encode()
    assert store.documents("s1") == ("analyses/1/result.json", "report.html")
    with pytest.raises(NotFound, match="has no 'nothing'"):
        store.document("s1", "nothing")


def test_delete_takes_all_of_one_screen(store: Store) -> None:
    for screen in ("s1", "s2"):
        store.put_vectors(screen, 0, vectors("A01"))
        store.put_document(screen, "report.html", "x")
    store.delete("s1")
    store.delete("s1")
    assert store.documents("s1") == ()
    with pytest.raises(NotFound, match="no vectors"):
        store.profiles("s1")
    assert len(store.profiles("s2")) == 3


@pytest.mark.parametrize("bad", ["", "..", "../s1", "a/b", "/etc", "S1", "s1\n", ".hidden", "x" * 65, "s1\0"])
def test_ids_lead_nowhere_else(store: Store, bad: str) -> None:
    for call in (store.delete, store.profiles, store.documents):
        with pytest.raises(Malformed):
            call(bad)
    with pytest.raises(Malformed):
        store.put_vectors(bad, 0, vectors("A01"))


@pytest.mark.parametrize("bad", ["", "..", "../x", "a/../b", "/etc/passwd", "a//b", "a/", ".tmp-1", "a\\b", "a\n"])
def test_names_lead_nowhere_else(store: Store, bad: str) -> None:
    with pytest.raises(Malformed):
        store.put_document("s1", bad, "x")
    with pytest.raises(Malformed):
        store.document("s1", bad)


def test_a_batch_number_is_a_number_of_a_batch(store: Store) -> None:
    with pytest.raises(Malformed):
        store.put_vectors("s1", -1, vectors("A01"))


def test_a_screen_of_an_older_version_goes_on_with_batches_of_both_forms(tmp_path: Path) -> None:
    store, old, new = Store(tmp_path), vectors("A01"), vectors("A02", value=-2.5)
    store.put_vectors("s1", 1, new)
    with (tmp_path / "s1" / "vectors" / "000000000.parquet").open("wb") as file:
        write_profiles(file, old)
    stored = store.profiles("s1")
    np.testing.assert_array_equal(stored.vectors, np.concatenate([old.vectors, new.vectors]))
    assert list(dict.fromkeys(stored.wells)) == ["A01", "A02"]
    assert list(store.vectors("s1", 0).keys) == list(old.keys)


def test_files_are_what_other_tools_read(tmp_path: Path) -> None:
    expected = vectors("A01")
    Store(tmp_path).put_vectors("s1", 0, expected)
    (file,) = (tmp_path / "s1" / "vectors").iterdir()
    table = pd.read_parquet(file)
    meta = ["plate", "well", "site", "tile", "y", "x", "key"]
    assert list(table.columns) == [*(f"Metadata_{name}" for name in meta), "vectors"]
    np.testing.assert_array_equal(np.frombuffer(b"".join(table["vectors"]), "<f4"), expected.vectors.ravel())


def test_a_writer_that_dies_leaves_no_part_of_a_file(tmp_path: Path) -> None:
    """The temporary file of a killed writer is neither read nor listed."""
    store = Store(tmp_path)
    store.put_vectors("s1", 0, vectors("A01"))
    (tmp_path / "s1" / "vectors" / ".tmp-dead").write_bytes(b"PAR1 half")
    (tmp_path / "s1" / "documents").mkdir()
    (tmp_path / "s1" / "documents" / ".tmp-dead").write_bytes(b"half")
    assert len(store.profiles("s1")) == 3
    assert store.documents("s1") == ()
