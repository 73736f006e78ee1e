"""An atomic file or folder shows the old content or all of the new content, and leaves nothing beside it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from gandl_shared.files import atomic
from gandl_shared.files.atomic import TEMPORARY_PREFIX, atomic_file, atomic_folder, remove_unfinished, replace_files


class Interrupted(Exception):
    """The writer stops in the middle of its work."""


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_has_its_name_only_after_the_block(tmp_path: Path) -> None:
    path = tmp_path / "wells.csv"
    with atomic_file(path) as file:
        file.write(b"new")
        assert not path.exists()
    assert path.read_bytes() == b"new"
    assert names(tmp_path) == ["wells.csv"]


def test_an_interrupted_file_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "wells.csv"
    path.write_bytes(b"old")
    with pytest.raises(Interrupted), atomic_file(path) as file:
        file.write(b"half of the n")
        raise Interrupted
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["wells.csv"]


def test_the_content_is_on_the_disk_before_the_rename(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A rename that reaches the disk before the data would leave an empty file after a loss of power."""
    path = tmp_path / "wells.csv"
    existed: list[bool] = []
    flush = os.fsync
    monkeypatch.setattr(atomic.os, "fsync", lambda number: (existed.append(path.exists()), flush(number)))
    with atomic_file(path) as file:
        file.write(b"new")
    assert existed == [False, True]  # first the file, then the name in its folder


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / ("n" * 255)
    with atomic_file(path) as file:
        file.write(b"new")
    assert path.read_bytes() == b"new"


def test_a_file_system_that_cannot_flush_folders_is_good_enough(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_path: Path) -> None:
        raise OSError(errno.EINVAL, "a network share")

    monkeypatch.setattr(atomic, "_flush", refuse)
    with atomic_file(tmp_path / "wells.csv") as file:
        file.write(b"new")
    assert names(tmp_path) == ["wells.csv"]


def test_a_folder_that_cannot_be_flushed_for_another_reason_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(_path: Path) -> None:
        raise OSError(errno.EIO, "a broken disk")

    monkeypatch.setattr(atomic, "_flush", fail)
    with pytest.raises(OSError, match="a broken disk"), atomic_file(tmp_path / "wells.csv"):
        pass


def test_a_folder_replaces_a_full_one(tmp_path: Path) -> None:
    path = tmp_path / "screen"
    path.mkdir()
    (path / "old.csv").write_text("old")
    with atomic_folder(path) as folder:
        (folder / "plate").mkdir()
        (folder / "plate" / "new.csv").write_text("new")
        assert names(path) == ["old.csv"]
    assert names(path) == ["plate"]
    assert (path / "plate" / "new.csv").read_text() == "new"
    assert names(tmp_path) == ["screen"]


def test_an_interrupted_folder_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "screen"
    path.mkdir()
    (path / "old.csv").write_text("old")
    with pytest.raises(Interrupted), atomic_folder(path) as folder:
        (folder / "new.csv").write_text("new")
        raise Interrupted
    assert names(path) == ["old.csv"]
    assert names(tmp_path) == ["screen"]


def test_a_folder_does_not_replace_a_file(tmp_path: Path) -> None:
    path = tmp_path / "screen"
    path.write_text("a file")
    with pytest.raises(OSError), atomic_folder(path) as folder:
        (folder / "new.csv").write_text("new")
    assert path.read_text() == "a file"
    assert names(tmp_path) == ["screen"]


def test_a_link_to_a_folder_stays_a_link(tmp_path: Path) -> None:
    target, link = tmp_path / "disk" / "screen", tmp_path / "screen"
    target.mkdir(parents=True)
    link.symlink_to(target)
    with atomic_folder(link) as folder:
        (folder / "new.csv").write_text("new")
    assert link.is_symlink()
    assert names(target) == ["new.csv"]
    assert names(tmp_path / "disk") == ["screen"]


def test_what_a_killed_writer_left_can_be_removed(tmp_path: Path) -> None:
    (tmp_path / f"{TEMPORARY_PREFIX}1").write_text("half")
    (tmp_path / f"{TEMPORARY_PREFIX}2").mkdir()
    (tmp_path / f"{TEMPORARY_PREFIX}2" / "part").write_text("half")
    (tmp_path / "whole").write_text("whole")
    remove_unfinished(tmp_path)
    assert names(tmp_path) == ["whole"]
    remove_unfinished(tmp_path / "nowhere")


def test_several_files_are_replaced_and_others_stay(tmp_path: Path) -> None:
    (tmp_path / "wells.csv").write_text("old")
    (tmp_path / "notes.txt").write_text("of the user")
    replace_files(tmp_path, {"wells.csv": b"new", "axes/E2.npz": b"axis"})
    assert names(tmp_path) == ["axes", "notes.txt", "wells.csv"]
    assert (tmp_path / "wells.csv").read_bytes() == b"new"
    assert (tmp_path / "axes" / "E2.npz").read_bytes() == b"axis"


def test_no_file_is_replaced_before_all_are_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "wells.csv").write_text("old")

    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "the disk is full")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="full"):
        replace_files(tmp_path, {"wells.csv": b"new", "report.html": b"new"})
    assert names(tmp_path) == ["wells.csv"]
    assert (tmp_path / "wells.csv").read_text() == "old"


def test_files_are_renamed_in_order_and_each_is_whole(tmp_path: Path) -> None:
    """The second name cannot be replaced because it is a folder that holds a file."""
    (tmp_path / "report.html").write_text("old")
    (tmp_path / "sites.csv").mkdir()
    (tmp_path / "sites.csv" / "file").write_text("old")
    with pytest.raises(OSError):
        replace_files(tmp_path, {"wells.csv": b"new", "sites.csv": b"new", "report.html": b"new"})
    assert names(tmp_path) == ["report.html", "sites.csv", "wells.csv"]
    assert (tmp_path / "wells.csv").read_bytes() == b"new"
    assert (tmp_path / "report.html").read_text() == "old"
