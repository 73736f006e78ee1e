"""The folder of the released featurizers."""

from __future__ import annotations

import os
from pathlib import Path

from gandl_shared.errors import NotFound


def released_models() -> Path:
    """Return the folder `models/`: $GANDL_MODELS_DIR, else that of the checkout, else that of the working folder.

    Raises NotFound naming the folders that were names.
    """
    configured = os.environ.get("GANDL_MODELS_DIR")
    checkout = Path(__file__).resolve().parents[4]
    candidates = [Path(configured)] if configured else [checkout / "models", Path.cwd() / "models"]
    for folder in candidates:
        if any(folder.glob("*.onnx")):
            return folder
    names = ", ".join(map(str, candidates))
    raise NotFound(f"no released models in {names}; set GANDL_MODELS_DIR to the folder of the .onnx files")


def released_model(name: str) -> Path:
    """Return the file of one released model, such as `gandl-sim5-64`. Raises NotFound."""
    path = released_models() / f"{name}.onnx"
    if not path.is_file():
        raise NotFound(f"there is no released model {name} in {path.parent}")
    return path
