"""The export of a checkpoint as an ONNX featurizer with its model card."""
