"""A data set appears complete in its folder, from a server, an archive or a folder, or the folder does not change."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pytest
from gandl.fetch import download
from gandl.fetch.bbbc013 import check
from gandl.fetch.data_set import RemoteFile, Verification
from gandl.fetch.download import Interrupted, sha256_of
from gandl.fetch.run import RECORD, FetchJob, FetchRecord, fetch, is_fetched, megabytes
from gandl_shared.errors import BadInput, Conflict, InvalidImage, Malformed, NotFound

from tests.cli.fetch.publisher import ARCHIVE, Publisher, published_files, serving, zipped


@pytest.fixture
def publisher() -> Iterator[Publisher]:
    with serving(Publisher(zipped(published_files()))) as running:
        yield running


@pytest.fixture(autouse=True)
def no_pause(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download.time, "sleep", lambda _seconds: None)


def run(job: FetchJob) -> FetchRecord:
    return fetch(job, on_step=lambda _name: None, on_bytes=lambda _done, _total: None)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_download_is_laid_out_and_recorded(publisher: Publisher, tmp_path: Path) -> None:
    job = FetchJob(data_set=publisher.data_set(), target=tmp_path / "data" / "bbbc013")
    record = run(job)
    check(job.target)
    assert is_fetched(job)
    assert names(tmp_path / "data") == ["bbbc013"]
    assert names(job.target) == [RECORD, "images", "platemap.csv"]
    stored = json.loads((job.target / RECORD).read_text(encoding="utf-8"))
    assert stored["verification"] == record.verification == Verification.UNVERIFIED == "unverified"
    assert stored["licence"].startswith("CC BY 3.0")
    (archive,) = stored["archives"]
    assert (archive["name"], archive["size"]) == (ARCHIVE, len(publisher.content))


def test_a_checksum_of_the_publisher_is_recorded(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / ARCHIVE).write_bytes(publisher.content)
    remote = RemoteFile(url=publisher.url, size=len(publisher.content), sha256=sha256_of(tmp_path / ARCHIVE))
    job = FetchJob(data_set=replace(publisher.data_set(), archives=(remote,)), target=tmp_path / "bbbc013")
    assert run(job).verification is Verification.PUBLISHER_CHECKSUM


def test_an_interrupted_download_stays_and_continues(publisher: Publisher, tmp_path: Path) -> None:
    job = FetchJob(data_set=publisher.data_set(), target=tmp_path / "bbbc013")
    publisher.cut_after = [5000, 0, 0]
    with pytest.raises(Interrupted) as error:
        run(job)
    assert error.value.exit_code == 2
    assert not job.target.exists()
    assert names(job.work_folder) == [f"{ARCHIVE}.part", f"{ARCHIVE}.part.json"]
    assert job.needed_bytes < FetchJob(data_set=job.data_set, target=tmp_path / "x" / "other").needed_bytes
    publisher.ranges.clear()
    run(job)
    assert publisher.ranges == ["bytes=5000-"]
    assert names(tmp_path) == ["bbbc013"]


def spoilt(name: str, content: bytes | None) -> bytes:
    files = published_files()
    path = f"BBBC013_v1_images_bmp/{name}"
    if content is None:
        del files[path]
    else:
        files[path] = content
    return zipped(files)


class Case(NamedTuple):
    content: bytes
    error: type[BadInput]
    words: str


CASES = {
    "undecodable image": Case(spoilt("Channel1-07-A-07.BMP", b"BM"), InvalidImage, "Channel1-07-A-07.BMP"),
    "missing image": Case(spoilt("Channel1-07-A-07.BMP", None), BadInput, "Channel1-07-A-07.BMP: the image is missing"),
    "half an archive": Case(zipped(published_files())[:9000], Malformed, "not a complete ZIP or TAR archive"),
    "HTML page": Case(b"<html>not found</html>", Malformed, "HTML page"),
    "path out of the folder": Case(zipped({"../evil.BMP": b"x"}), Malformed, "leads out of the folder"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_bad_archive_changes_nothing(tmp_path: Path, case: Case) -> None:
    with serving(Publisher(case.content)) as publisher:
        job = FetchJob(data_set=publisher.data_set(), target=tmp_path / "data" / "bbbc013")
        with pytest.raises(case.error, match=case.words) as error:
            run(job)
    assert error.value.exit_code == 2
    assert names(tmp_path) == []


def test_a_local_archive_and_a_local_folder_give_the_same_files(publisher: Publisher, tmp_path: Path) -> None:
    archive = tmp_path / "copy.zip"
    archive.write_bytes(publisher.content)
    first = FetchJob(data_set=publisher.data_set(), target=tmp_path / "first", source=archive)
    second = replace(first, target=tmp_path / "second", source=tmp_path / "first")
    assert [run(job).verification for job in (first, second)] == [Verification.UNVERIFIED] * 2
    assert publisher.ranges == []
    for path in first.target.rglob("*.tif"):
        assert (second.target / path.relative_to(first.target)).read_bytes() == path.read_bytes()
    assert json.loads((second.target / RECORD).read_text())["source"] == "first"


def test_a_source_that_does_not_exist_is_named(publisher: Publisher, tmp_path: Path) -> None:
    job = FetchJob(data_set=publisher.data_set(), target=tmp_path / "t", source=tmp_path / "nowhere.zip")
    with pytest.raises(NotFound, match=r"nowhere\.zip is not there"):
        run(job)


def test_another_folder_of_the_user_is_left_alone(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("of the user")
    with pytest.raises(Conflict, match="not a complete BBBC013.*give another folder by --to"):
        run(FetchJob(data_set=publisher.data_set(), target=tmp_path))
    assert names(tmp_path) == ["notes.txt"]


def test_a_full_disk_is_found_before_the_download(
    publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1_000_000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage)
    with pytest.raises(BadInput, match="where only 1 MB are free"):
        run(FetchJob(data_set=publisher.data_set(), target=tmp_path / "t"))
    assert publisher.ranges == [] and names(tmp_path) == []


def test_two_fetches_at_once_do_not_mix(publisher: Publisher, tmp_path: Path) -> None:
    job = FetchJob(data_set=publisher.data_set(), target=tmp_path / "t")
    job.work_folder.mkdir()
    with (job.work_folder / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with pytest.raises(Conflict, match="another gandl fetch"):
            run(job)


def test_a_folder_that_cannot_be_written_is_named(publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(BadInput, match="cannot be fetched to .*file/bbbc013"):
        run(FetchJob(data_set=publisher.data_set(), target=tmp_path / "file" / "bbbc013"))


def test_sizes_in_words() -> None:
    assert megabytes(32_404_692) == "32 MB"
