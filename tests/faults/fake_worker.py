"""A real worker process with a fake model: `python fake_worker.py FOLDER [CALLS]`.

After CALLS calls of the model, the worker waits inside the next one: it writes the file FOLDER/waiting and goes on when
FOLDER/go is there. So a test knows exactly what the worker is doing, however fast the machine is.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from pathlib import Path

from gandl_shared.models import Embedder
from gandl_shared.testing import FakeEmbedder
from gandl_worker.app import build


class Pause:
    """Waits in one call of the model."""

    def __init__(self, folder: Path, calls: int | None) -> None:
        self._folder = folder
        self._calls_left = calls

    def __call__(self, _tiles: object) -> None:
        """Count a call; wait in the one after the last."""
        if self._calls_left == 0:
            (self._folder / "waiting").touch()
            while not (self._folder / "go").exists():
                time.sleep(0.02)
        if self._calls_left is not None:
            self._calls_left -= 1


def main() -> None:
    """Work until SIGTERM."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    pause = Pause(Path(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else None)

    def open_model(_name: str) -> contextlib.AbstractContextManager[Embedder]:
        return contextlib.nullcontext(FakeEmbedder(before=pause))

    build(embedders=open_model).serve()


if __name__ == "__main__":
    main()
