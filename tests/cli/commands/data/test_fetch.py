"""`gandl fetch` as a user sees it: what it shows before a download, exit codes, and one line for what is wrong."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from gandl.commands.data import fetch as command
from gandl.data_folder import VARIABLE
from gandl.fetch import catalog
from gandl.fetch.bbbc013 import ARCHIVE_BYTES, URL, check
from gandl.fetch.run import RECORD

from tests.cli.command_line import Gandl
from tests.cli.fetch.publisher import Publisher, published_files, serving, zipped


@pytest.fixture
def publisher(monkeypatch: pytest.MonkeyPatch) -> Iterator[Publisher]:
    """A publisher on this machine in the place of the real one."""
    with serving(Publisher(zipped(published_files()))) as running:
        monkeypatch.setattr(catalog, "DATA_SETS", {"bbbc013": running.data_set()})
        yield running


def test_a_dry_run_shows_address_size_and_folders_and_writes_nothing(gandl: Gandl, tmp_path: Path) -> None:
    ended = gandl("fetch", "bbbc013", "--to", tmp_path / "t", "--dry-run")
    assert ended.code == 0
    for fact in (URL, f"{ARCHIVE_BYTES / 1e6:.0f} MB", str(tmp_path / "t"), "CC BY 3.0", "Ilya Ravkin", "free"):
        assert fact in ended.out
    assert list(tmp_path.iterdir()) == []


def test_the_default_folder_is_that_of_the_data(
    gandl: Gandl, publisher: Publisher, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, str(tmp_path))
    ended = gandl("fetch", "bbbc013")
    assert ended.code == 0, ended.err
    assert f"bbbc013 is in {tmp_path / 'bbbc013'}, unverified" in ended.out
    assert "CC BY 3.0" in ended.out and RECORD in ended.out
    check(tmp_path / "bbbc013")
    again = gandl("fetch", "bbbc013")
    assert (again.code, again.out) == (0, f"bbbc013 is complete in {tmp_path / 'bbbc013'} already\n")
    assert len(publisher.ranges) == 1


def test_a_local_archive_needs_no_network(gandl: Gandl, publisher: Publisher, tmp_path: Path) -> None:
    (tmp_path / "copy.zip").write_bytes(publisher.content)
    ended = gandl("fetch", "bbbc013", "--from", tmp_path / "copy.zip", "--to", tmp_path / "t")
    assert ended.code == 0, ended.err
    assert publisher.ranges == []


def test_a_bad_answer_of_the_server_is_one_line_and_exit_code_2(
    gandl: Gandl, publisher: Publisher, tmp_path: Path
) -> None:
    publisher.content_type = "text/html"
    ended = gandl("fetch", "bbbc013", "--to", tmp_path / "t")
    assert ended.code == 2
    (line,) = [line for line in ended.err.splitlines() if line.startswith("gandl: ")]
    assert "answers with an HTML page" in line
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_data_set_is_exit_code_2(gandl: Gandl) -> None:
    ended = gandl("fetch", "nothing")
    names = "bbbc013, bbbc021, mitocheck, rxrx1, rxrx19a"
    assert (ended.code, ended.err) == (2, f"gandl: unknown data set 'nothing'; gandl can fetch {names}\n")


def test_every_kind_of_verification_is_explained() -> None:
    assert set(command.EXPLANATIONS) == set(command.Verification)


@pytest.mark.parametrize(
    ("options", "facts"),
    [
        (["rxrx19a"], ["RxRx19a-metadata.zip (the publisher does not tell the size)", "about 445,000 MB", "CC BY 4.0"]),
        (["rxrx19a", "--only", "embeddings"], ["RxRx19a-DL-embeddings.zip (about 1,400 MB)", "2,800 MB needed"]),
        (["rxrx1", "--cell-type", "U2OS"], ["only those that were chosen are transferred", "no commercial use"]),
        (["bbbc021", "--experiment", "Week10"], ["BBBC021_v1_images_Week10_40111.zip (about 750 MB)", "CC BY 3.0"]),
        (["mitocheck"], ["phenotypic_profiling/archive/92e4025d.zip", "CC BY 4.0", "Neumann"]),
    ],
)
def test_a_dry_run_of_each_data_set_needs_no_network(
    gandl: Gandl, tmp_path: Path, options: list[str], facts: list[str]
) -> None:
    ended = gandl("fetch", *options, "--to", tmp_path / "t", "--dry-run")
    assert ended.code == 0, ended.err
    for fact in facts:
        assert fact in ended.out
    assert list(tmp_path.iterdir()) == []


def test_a_small_data_set_has_no_parts(gandl: Gandl, tmp_path: Path) -> None:
    ended = gandl("fetch", "bbbc013", "--to", tmp_path / "t", "--only", "images")
    assert ended.code == 2 and "leave --only, --cell-type and --experiment out" in ended.err


def test_published_vectors_on_the_disk_become_parquet(gandl: Gandl, tmp_path: Path) -> None:
    (tmp_path / "embeddings.csv").write_text("site_id,feature_0\nHRCE-1_1_AA02_1,0.5\n")
    options = ("--only", "embeddings", "--from", tmp_path / "embeddings.csv", "--to", tmp_path / "t")
    ended = gandl("fetch", "rxrx19a", *options)
    assert ended.code == 0, ended.err
    assert f"rxrx19a is in {tmp_path / 't'} (1 file is new), unverified" in ended.out
    assert (tmp_path / "t" / "embeddings.parquet").is_file()
    assert f"in {tmp_path / 't'} already" in gandl("fetch", "rxrx19a", *options).out
