"""Where the real images are, for every test."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[1]


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def data() -> Path:
    """The folder of real images: $GANDL_TEST_DATA, else `../shared/data` beside the checkout."""
    return Path(os.environ.get("GANDL_TEST_DATA", REPOSITORY.parent / "shared" / "data"))


@pytest.fixture(scope="session")
def bbbc013(data: Path) -> Path:
    """BBBC013, or a skip where it is absent."""
    folder = data / "bbbc013"
    if not folder.is_dir():
        pytest.skip(f"BBBC013 is not at {folder}; set GANDL_TEST_DATA")
    return folder
