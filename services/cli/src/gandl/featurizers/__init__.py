"""Featurizers by name: what a trained model is compared with, behind the interface of a model.

`gandl_shared.models.Embedder` is that interface. A featurizer is the file of an ONNX model, or one of the names of
`Baseline`; `featurizer` returns either.
"""

from gandl.featurizers.by_name import featurizer
from gandl.featurizers.names import Baseline, BaselineName, baseline_name
from gandl.featurizers.tiles import TileForm

__all__ = ["Baseline", "BaselineName", "TileForm", "baseline_name", "featurizer"]
