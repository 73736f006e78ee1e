"""Writes the service's OpenAPI document: `python -m gandl_embedding.openapi openapi/embedding.json`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gandl_embedding.app import build
from gandl_embedding.settings import Settings


def document() -> str:
    """The OpenAPI document as it is committed; no model is needed for it."""
    return json.dumps(build(Settings(models_dir=Path("models"))).openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document())
