"""Folders of an object store, with a client that is none. `make test-faults` tries a real server."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from gandl_shared.errors import Forbidden, InvalidImage, Outage
from gandl_shared.files import objects
from gandl_shared.jobs import resolve_folder
from gandl_shared.plates.layouts.file_columns import inside
from gandl_shared.plates.layouts.listing import list_folder

ROOT = Path("s3:/bucket/plate")
CHANGED = datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=UTC)


class Client:
    """A client whose every call gives what it was made with, or raises it."""

    def __init__(self, answer: object) -> None:
        self._answer = answer

    def _call(self, address: str, **_: object) -> Any:  # Any: what a test wants
        if isinstance(self._answer, Exception):
            raise self._answer
        is_table = isinstance(self._answer, dict) and address in self._answer
        return self._answer[address] if is_table else self._answer

    cat_file = info = ls = _call


def file(name: str) -> dict[str, object]:
    return {"name": name, "type": "file", "size": 3, "LastModified": CHANGED}


def no_such_bucket() -> FileNotFoundError:
    error, cause = FileNotFoundError("no bucket"), Exception()
    cause.response = {"Error": {"Code": "NoSuchBucket"}}  # type: ignore[attr-defined]
    error.__cause__ = cause
    return error


@pytest.fixture
def answer(monkeypatch: pytest.MonkeyPatch) -> Any:  # Any: a function of an answer
    return lambda content: monkeypatch.setattr(objects, "_open_system", lambda _: Client(content))


@pytest.mark.parametrize("name", ["../other", "/other", "a/../../other", "", ".", "a\\b"])
def test_no_name_leads_out_of_the_folder(name: str) -> None:
    with pytest.raises(Forbidden):
        resolve_folder(ROOT, name)


def test_a_name_stays_below_its_prefix() -> None:
    assert inside(ROOT, "P1/a.tif") == ROOT / "P1/a.tif"
    assert inside(ROOT, "P1/../../a.tif") is None
    assert objects.is_object(ROOT) and not objects.is_object(Path("/bucket/s3:/a"))


def test_a_folder_is_listed_level_by_level(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gandl_shared.plates.layouts.listing.is_zarr", lambda _: False)
    top = [file("bucket/plate/map.csv"), file("bucket/plate/"), {"name": "bucket/plate/P1", "type": "directory"}]
    answer({"bucket/plate": top, "bucket/plate/P1": [file("bucket/plate/P1/b.tif"), file("bucket/plate/P1/a.tif")]})
    listing = list_folder(ROOT)
    assert (listing.images, listing.others) == (("P1/a.tif", "P1/b.tif"), ("map.csv",))


def test_stamps_of_a_list_and_of_one_object_are_equal(answer: Any) -> None:
    answer(file("bucket/plate/a.tif") | {"LastModified": CHANGED.replace(microsecond=0)})
    alone = objects.stamp_of(ROOT / "a.tif")
    answer([file("bucket/plate/a.tif")])
    assert [entry.stamp for entry in objects.list_objects(ROOT)] == [alone]
    assert alone == (3, int(CHANGED.timestamp()) * 10**9)


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (FileNotFoundError("a.tif"), FileNotFoundError),
        (no_such_bucket(), Outage),
        (PermissionError("the token has run out"), Outage),
        (OSError(5, "InternalError"), Outage),
        (ValueError("Range"), InvalidImage),
    ],
)
def test_what_a_server_refuses_is_an_outage_or_the_fault_of_the_object(
    error: Exception, kind: type[Exception], answer: Any
) -> None:
    answer(error)
    with pytest.raises(kind):
        objects.open_object(ROOT / "a.tif")


def test_what_is_not_there_has_no_stamp_and_no_entries(answer: Any) -> None:
    answer(FileNotFoundError("a.tif"))
    assert objects.stamp_of(ROOT / "a.tif") is None
    assert not list(objects.list_objects(ROOT))


def test_an_object_that_would_fill_the_memory_is_refused(answer: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(objects, "MAX_OBJECT_BYTES", 3)
    answer(b"1234")
    with pytest.raises(InvalidImage, match="more than 3 bytes"):
        objects.open_object(ROOT / "a.tif")
