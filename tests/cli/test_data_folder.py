"""The folder of a data set: the environment, then beside the checkout, then in the checkout."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.data_folder import VARIABLE, data_folder


def test_the_environment_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "shared/data/bbbc013").mkdir(parents=True)
    monkeypatch.setenv(VARIABLE, "/elsewhere")
    assert data_folder("bbbc013", checkout=tmp_path / "checkout") == Path("/elsewhere/bbbc013")


def test_the_folder_beside_the_checkout_counts_only_where_it_has_the_data_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    (tmp_path / "shared/data/bbbc013").mkdir(parents=True)
    checkout = tmp_path / "checkout"
    assert data_folder("bbbc013", checkout=checkout) == tmp_path / "shared/data/bbbc013"
    assert data_folder("rxrx1", checkout=checkout) == checkout / "data/rxrx1"


def test_without_an_argument_it_is_the_checkout_of_the_module(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert data_folder("no-such-set") == repository / "data" / "no-such-set"


def test_the_makefile_has_the_same_rule(repository: Path) -> None:
    rule = "GANDL_DATA ?= $(if $(wildcard ../shared/data/bbbc013),../shared/data,data)\n"
    assert rule in (repository / "Makefile").read_text()


def test_fetched_data_are_not_committed(repository: Path) -> None:
    assert "/data/\n" in (repository / ".gitignore").read_text()
