"""The one worker process of the embedded stack, for batches and analyses. `python -m gandl.stack.worker`."""

from __future__ import annotations

import logging

import gandl_analysis.settings
from gandl_analysis import tasks
from gandl_analysis.worker import analysis_runs
from gandl_shared.jobs.broker import ANALYSIS
from gandl_worker.app import build


def main() -> None:
    """Work until SIGTERM. Settings come from the environment, as for the separate workers."""
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    worker = build()
    tasks.register(worker.celery, analysis_runs(gandl_analysis.settings.Settings(), worker.db))
    worker.serve(ANALYSIS)


if __name__ == "__main__":
    main()
