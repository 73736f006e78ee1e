"""`python -m gandl_worker`: a worker process, configured by `GANDL_WORKER_…`."""

import logging

from gandl_worker.app import build

if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    build().serve()
