"""From the body of a request to tiles: arrays in this process, and image files in processes of their own."""

from gandl_embedding.inputs.decoders import DecoderLimits, Decoders
from gandl_embedding.inputs.forms import read_form
from gandl_embedding.inputs.tiles import (
    RequestLimits,
    Tiles,
    explicit_limits,
    holds_tiles,
    mean_per_image,
    ready_tiles,
    tiles_of_array,
)
from gandl_embedding.inputs.uploads import CHANNEL, IMAGE, Upload

__all__ = [
    "CHANNEL",
    "IMAGE",
    "DecoderLimits",
    "Decoders",
    "RequestLimits",
    "Tiles",
    "Upload",
    "explicit_limits",
    "holds_tiles",
    "mean_per_image",
    "read_form",
    "ready_tiles",
    "tiles_of_array",
]
