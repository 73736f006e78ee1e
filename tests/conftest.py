"""Fixtures for every test: the checkout, the real images, and a guard against opening files; when memory is tidied."""

from __future__ import annotations

import atexit
import gc
import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl.data_folder import data_folder
from gandl_shared.testing import FileGuard

REPOSITORY = Path(__file__).parents[1]
GARBAGE_THRESHOLDS = (20_000, 20, 20)

# A search for garbage among all that the tests import takes a second, and with the usual thresholds it comes again and
# again. There is none while the tests are collected, and afterwards they are those of the command line.
gc.disable()
# The interpreter clears everything at its end, since some libraries report what is left. pytest searches several times
# before that, each for a second or more, if nothing is frozen.
atexit.register(gc.unfreeze)


def pytest_collection_finish() -> None:
    """Search for garbage again, but only among what the tests make."""
    gc.freeze()
    gc.set_threshold(*GARBAGE_THRESHOLDS)
    gc.enable()


@pytest.fixture(scope="session")
def repository() -> Path:
    """The root of the checkout."""
    return REPOSITORY


@pytest.fixture(scope="session")
def bbbc013() -> Path:
    """The folder of BBBC013, or a skip where it is absent."""
    folder = data_folder("bbbc013", checkout=REPOSITORY)
    if not folder.is_dir():
        pytest.skip("needs BBBC013 (gandl fetch bbbc013)")
    return folder


@pytest.fixture(scope="session")
def vendor_layouts() -> Path:
    """The folder of small real exports of instruments, or a skip where it is absent."""
    folder = data_folder("vendor_layouts", checkout=REPOSITORY)
    if not folder.is_dir():
        pytest.skip("needs exports of instruments (folder vendor_layouts of GANDL_DATA)")
    return folder


@pytest.fixture(scope="session")
def rxrx1_sample() -> Path:
    """The folder of 18 real fields of RxRx1, or a skip where it is absent."""
    folder = data_folder("rxrx1_sample", checkout=REPOSITORY)
    if not folder.is_dir():
        pytest.skip("needs the sample of RxRx1 (folder rxrx1_sample of GANDL_DATA)")
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


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was left out, and which commands bring what those tests need."""
    counts = Counter(skip_reason(report.longrepr) for report in terminalreporter.stats.get("skipped", []))
    if counts:
        reasons = "; ".join(
            f"{count} {'test' if count == 1 else 'tests'}: {why}" for why, count in counts.most_common()
        )
        terminalreporter.write_line(f"left out: {reasons}", yellow=True)


def skip_reason(longrepr: object) -> str:
    """The reason of a skip, without pytest's own prefix."""
    text = longrepr[2] if isinstance(longrepr, tuple) else str(longrepr)
    return str(text).removeprefix("Skipped: ")
