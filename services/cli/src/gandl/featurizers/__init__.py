"""Featurizers by name: what a trained model is compared with, behind the interface of a model.

`gandl_shared.models.Embedder` is that interface. A featurizer is the file of an ONNX model, or one of the names of
`Baseline`; `by_name.featurizer` returns either.
"""
