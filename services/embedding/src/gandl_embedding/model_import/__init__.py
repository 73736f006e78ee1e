"""The import of a foreign ONNX model: it becomes a featurizer as `gandl export` writes one."""
