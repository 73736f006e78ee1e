"""Paths of the store. The contract tests have the rest, in a folder and on fsspec."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import NotFound
from gandl_shared.plates import SiteId
from gandl_shared.store import Store, site_profiles

PROFILES = site_profiles(SiteId("P1", "A01", "1"), [(0, 0)], "key", np.ones((1, 3), np.float32))


def test_files_are_sorted_by_screen_kind_and_batch(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put_vectors("s1", 12, PROFILES)
    store.put_document("s1", "analyses/1/result.json", "{}")
    files = sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*") if path.is_file())
    assert files == ["s1/documents/analyses/1/result.json", "s1/vectors/000000012.parquet"]


def test_a_failed_write_leaves_the_old_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = Store(tmp_path)
    store.put_document("s1", "report.html", "old")

    def fail(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr("gandl_shared.files.atomic.os.fsync", fail)
    with pytest.raises(OSError, match="disk full"):
        store.put_document("s1", "report.html", "new")
    assert store.document("s1", "report.html") == b"old"
    assert store.documents("s1") == ("report.html",)


def test_a_batch_without_rows_is_no_vector(tmp_path: Path) -> None:
    """A batch whose sites are all parked may have an empty file; others are still read."""
    store = Store(tmp_path)
    store.put_vectors("s1", 0, PROFILES.where(np.array([False])))
    store.put_vectors("s1", 1, PROFILES)
    assert len(store.profiles("s1")) == 1


def test_the_bytes_of_a_document_are_known_without_reading_it(tmp_path: Path) -> None:
    store = Store(tmp_path)
    store.put_document("s1", "analyses/1/result.json", "µ")
    assert store.document_bytes("s1", "analyses/1/result.json") == 2
    with pytest.raises(NotFound, match=r"screen 's1' has no 'analyses/2/result\.json'"):
        store.document_bytes("s1", "analyses/2/result.json")
