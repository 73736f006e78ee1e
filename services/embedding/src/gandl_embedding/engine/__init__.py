"""The engine: a session over a model file, on the devices of this machine."""

from gandl_embedding.engine.devices import gpu, instructions, processor
from gandl_embedding.engine.engine import MAX_MODEL_BYTES, Engine, batch_size, check_tiles, read_model_file
from gandl_embedding.engine.onnx_session import CPU, CUDA
from gandl_embedding.engine.precision import CHECK_TILES, Precision, agreement, check_file, read_check, varied_tiles

__all__ = [
    "CHECK_TILES",
    "CPU",
    "CUDA",
    "MAX_MODEL_BYTES",
    "Engine",
    "Precision",
    "agreement",
    "batch_size",
    "check_file",
    "check_tiles",
    "gpu",
    "instructions",
    "processor",
    "read_check",
    "read_model_file",
    "varied_tiles",
]
