"""Write the specification of the service, which is generated from its routes: `python -m gandl_analysis.openapi
FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gandl_analysis.app import build
from gandl_analysis.settings import Settings


def document() -> str:
    """Return the OpenAPI document as JSON text. No database, broker or store is opened for it."""
    return json.dumps(build(Settings()).openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
