"""`gandl demo` beside another demo; `make demo` runs the whole of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.commands import demo as command
from gandl.stack.home import Home

from tests.cli.command_line import Gandl


def test_a_second_demo_in_the_same_folder_is_refused(gandl: Gandl, tmp_path: Path) -> None:
    home = Home((tmp_path / "home").resolve())
    home.create()
    lock = home.lock()
    assert lock is not None
    with lock:
        ended = gandl("demo", "--out", tmp_path)
    assert ended.code == 2
    assert "a demo is already running in" in ended.err
    assert not (tmp_path / "screen").exists()


def test_without_released_models_the_folders_are_named(
    gandl: Gandl, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GANDL_MODELS_DIR", str(tmp_path / "none"))
    ended = gandl("demo", "--out", tmp_path / "out")
    assert ended.code == 2
    assert "no released models in" in ended.err
    assert not (tmp_path / "out").exists()


def test_the_model_of_the_demo_is_released(repository: Path) -> None:
    assert (repository / "models" / f"{command.MODEL}.onnx").is_file()
