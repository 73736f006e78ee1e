"""Opening output folders of `gandl screen` in the stack, so that its pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from gandl_analysis.service.intake.outputs import OpenedFolder, open_output
from gandl_shared.db import Database
from gandl_shared.store import Store

from gandl.stack.home import Home


def open_folders(home: Home, folders: Sequence[Path], image_root: Path) -> dict[Path, str]:
    """Store each folder as a screen of the stack; return the id of its screen.

    A folder that was opened before keeps its screen. Its analysis is queued, and a worker of the stack runs it. Its
    images are shown where they lie below `image_root`. Raises NotFound and Invalid for what is no such folder.
    """
    database = Database.connect(home.database_url)
    try:
        screens_before = [database.screens.get(status.id) for status in database.screens.statuses()]
        earlier = {Path(record.request.images): record.id for record in screens_before}
        store, screens = Store(home.store), {}
        for folder in folders:
            path = folder.resolve()
            output = OpenedFolder(folder=path, image_root=image_root)
            screens[folder] = earlier[path] if path in earlier else open_output(output, database, store)[0]
        return screens
    finally:
        database.close()
