"""Where the released featurizers are."""

from __future__ import annotations

import os
from pathlib import Path

from gandl_shared.errors import NotFound


def released_models() -> Path:
    """The folder `models/`: of $GANDL_MODELS_DIR, of the checkout this is installed from, or of the working folder.

    Raises NotFound naming the places looked at.
    """
    given = os.environ.get("GANDL_MODELS_DIR")
    places = [Path(given)] if given else [Path(__file__).resolve().parents[4] / "models", Path.cwd() / "models"]
    for place in places:
        if any(place.glob("*.onnx")):
            return place
    looked = ", ".join(str(p) for p in places)
    raise NotFound(f"no released models in {looked}; set GANDL_MODELS_DIR to the folder that holds them")


def released_model(name: str) -> Path:
    """The file of one released model, such as `gandl-sim5-64`. Raises NotFound."""
    path = released_models() / f"{name}.onnx"
    if not path.is_file():
        raise NotFound(f"there is no released model {name} in {path.parent}")
    return path
