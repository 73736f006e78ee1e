"""From a checkpoint to an ONNX featurizer."""
