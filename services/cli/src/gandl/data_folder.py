"""The folder of each published data set: the one place that `gandl fetch` writes to and everything else reads from."""

from __future__ import annotations

import os
from pathlib import Path

VARIABLE = "GANDL_DATA"
"""The environment variable that names the folder of all data sets."""


def data_folder(data_set: str, *, checkout: Path | None = None) -> Path:
    """Return the folder of a data set, such as `bbbc013`, whether it exists or not.

    It is inside $GANDL_DATA if that is set. Otherwise it is `../shared/data/bbbc013` beside the checkout if that
    exists, and `data/bbbc013` in the checkout if not. Without a checkout the working folder takes its place.
    """
    configured = os.environ.get(VARIABLE)
    if configured:
        return Path(configured).expanduser() / data_set
    root = checkout or _checkout()
    shared = root.parent / "shared" / "data" / data_set
    return shared if shared.is_dir() else root / "data" / data_set


def _checkout() -> Path:
    root = Path(__file__).resolve().parents[4]
    return root if (root / "pyproject.toml").is_file() else Path.cwd()
