"""Write the specification of the service, which is generated from its routes: `python -m gandl_embedding.openapi
FILE`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gandl_embedding.app import build
from gandl_embedding.settings import Settings


def document() -> str:
    """Return the OpenAPI document as JSON text. No model is loaded for it."""
    return json.dumps(build(Settings(models_dir=Path("models"))).openapi(), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(document(), encoding="utf-8")
