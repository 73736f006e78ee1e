"""The exports of instruments, where they are at hand."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.data_folder import data_folder


@pytest.fixture(scope="session")
def vendor_layouts(repository: Path) -> Path:
    """The folder of small real exports of instruments, or a skip where it is absent."""
    folder = data_folder("vendor_layouts", checkout=repository)
    if not folder.is_dir():
        pytest.skip("needs exports of instruments (folder vendor_layouts of GANDL_DATA)")
    return folder
