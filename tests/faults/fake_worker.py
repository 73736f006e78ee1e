"""A real worker process with a fake model: `python fake_worker.py SECONDS`, each call to the model taking so long."""

from __future__ import annotations

import contextlib
import logging
import sys
import time

from gandl_shared.models import Embedder
from gandl_shared.testing import FakeEmbedder
from gandl_worker.app import build


def main() -> None:
    """Work until told to stop."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    seconds = float(sys.argv[1])

    def open_model(_name: str) -> contextlib.AbstractContextManager[Embedder]:
        return contextlib.nullcontext(FakeEmbedder(before=lambda _: time.sleep(seconds)))

    build(embedders=open_model).serve()


if __name__ == "__main__":
    main()
