"""The one HTTP server of the embedded stack: every router of every part, on one port.

`python -m gandl.stack.http HOST PORT`, settings from the environment as for the separate services.
"""

from __future__ import annotations

import sys
from importlib.metadata import version

import gandl_analysis.app
import gandl_analysis.settings
import gandl_embedding.app
import gandl_embedding.settings
import uvicorn
from fastapi import FastAPI
from gandl_shared.web.app import build_app
from prometheus_client import CollectorRegistry


def build() -> FastAPI:
    """Return the application. Settings are read here, once."""
    # One registry for all parts, because one port has one page of metrics.
    registry = CollectorRegistry()
    analysis = gandl_analysis.settings.Settings()
    parts = [
        gandl_embedding.app.part(gandl_embedding.settings.Settings(), registry),
        gandl_analysis.app.part(analysis, registry=registry),
    ]
    return build_app("gandl", parts, registry=registry, version=version("gandl"), root_path=analysis.root_path)


def main() -> None:
    """Serve until SIGTERM."""
    host, port = sys.argv[1], int(sys.argv[2])
    uvicorn.run(build(), host=host, port=port, log_level="info", access_log=False, timeout_graceful_shutdown=12)


if __name__ == "__main__":
    main()
