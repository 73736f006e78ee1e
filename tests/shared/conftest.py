"""Fixtures of the tests of shared modules."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.data_folder import data_folder

from tests.shared.databases import db

__all__ = ["db"]


@pytest.fixture(scope="session")
def vendor_layouts(repository: Path) -> Path:
    """Return the folder of small real exports of instruments, or skip where it is absent."""
    folder = data_folder("vendor_layouts", checkout=repository)
    if not folder.is_dir():
        pytest.skip("needs exports of instruments (folder vendor_layouts of GANDL_DATA)")
    return folder
