"""Where the real images are, for every test."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.testing import FileGuard

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


@pytest.fixture(scope="session")
def guard() -> FileGuard:
    """Keeps the code under test from opening a file."""
    return FileGuard()


@pytest.fixture(params=["absolute", "relative", "fifo", "descriptor"])
def named_file(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str]]:
    """Another file and the name that an image calls it by.

    The names are right from any folder two levels below the temporary one, where uploads are kept too.
    """
    target = tmp_path / "other" / "secret.ome.tif"
    target.parent.mkdir()
    if request.param == "fifo":
        os.mkfifo(target)
        yield target, str(target)
        return
    tifffile.imwrite(target, np.full((2, 72, 72), 4321, np.uint16), compression="lzw", photometric="minisblack")
    with target.open("rb") as file:
        names = {
            "absolute": str(target),
            "relative": os.path.relpath(target, Path(tempfile.gettempdir(), "upload")),
            "descriptor": f"/proc/self/fd/{file.fileno()}",
        }
        yield target, names[request.param]
