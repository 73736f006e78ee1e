"""The names of featurizers that are no file."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gandl_shared.errors import BadInput

UNTRAINED_LAYER = "multi"
"""The layer of an untrained network that separates best, so that the baseline is not weaker than it has to be."""
UNTRAINED_PRESET = "cpu-64"
"""The preset of training whose widths an untrained network has."""


class Baseline(StrEnum):
    """A featurizer that gandl makes itself.

    `intensity`: statistics of the grey values. `pca`: principal components of the pixels, fitted on a sample of the
    screen's own tiles. `untrained`: the GAN-DL discriminator with random weights, by seed.
    `cp-measure`: features of CellProfiler, averaged over the nuclei of a tile.
    """

    INTENSITY = "intensity"
    PCA = "pca"
    UNTRAINED = "untrained"
    CP_MEASURE = "cp-measure"


FORMS = "intensity, pca, cp-measure, untrained:SEED, untrained:SEED:LAYER or untrained:SEED:LAYER:PRESET"
"""How the names are written, for messages."""


@dataclass(frozen=True, kw_only=True)
class BaselineName:
    """A name in its parts. `seed`, `layer` and `preset` (whose widths it has) belong to the untrained network."""

    kind: Baseline
    seed: int = 0
    layer: str = UNTRAINED_LAYER
    preset: str = UNTRAINED_PRESET

    @property
    def text(self) -> str:
        """The name in full, which tables show."""
        if self.kind is not Baseline.UNTRAINED:
            return self.kind.value
        preset = "" if self.preset == UNTRAINED_PRESET else f":{self.preset}"
        return f"{self.kind.value}:{self.seed}:{self.layer}{preset}"


def is_baseline(model: Path) -> bool:
    """Return whether `model` is no file but the name of a baseline, for a command that takes folders of files too."""
    return not model.is_file() and str(model).partition(":")[0] in list(Baseline)


def baseline_name(model: str) -> BaselineName | None:
    """Return the baseline that `model` names, or None where it is a file. Raises BadInput for another name."""
    kind, *options = model.split(":")
    if Path(model).is_file() or model.endswith(".onnx"):
        return None
    if kind not in list(Baseline):
        raise BadInput(f"there is no model file {model}; give an .onnx file, or {FORMS}")
    if Baseline(kind) is not Baseline.UNTRAINED and not options:
        return BaselineName(kind=Baseline(kind))
    if Baseline(kind) is Baseline.UNTRAINED and len(options) <= 3:
        seed, layer, preset = (*options, *("0", UNTRAINED_LAYER, UNTRAINED_PRESET)[len(options) :])
        if seed.isdecimal() and int(seed) < 2**32:
            return BaselineName(kind=Baseline(kind), seed=int(seed), layer=layer, preset=preset)
    raise BadInput(f"--model {model} cannot be read; the featurizers without a file are {FORMS}")
