"""Reading by ome-zarr-py, whose answer gandl's must equal."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest


def nodes(folder: Path) -> list[Any]:
    """Return the nodes that ome-zarr-py finds in a plate or an image; the test is left out without that package."""
    io = pytest.importorskip("ome_zarr.io", reason="needs ome-zarr-py")
    reader = pytest.importorskip("ome_zarr.reader", reason="needs ome-zarr-py")
    location = io.parse_url(str(folder))
    assert location is not None
    return list(reader.Reader(location)())
