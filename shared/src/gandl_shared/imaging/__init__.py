"""Images: read from files, mapped to uint8 fields, cut into tiles, and measured."""

from gandl_shared.imaging.clipping import MAX_CLIPPED, MIN_USED, IntensityTally, misfit
from gandl_shared.imaging.fields import (
    Preprocessing,
    Uint8,
    downscaled,
    prepare_field,
    shrunk,
    to_uint8,
    vector_key,
)
from gandl_shared.imaging.file_images import split_sites
from gandl_shared.imaging.greys import Raw
from gandl_shared.imaging.limits import (
    MAX_SAMPLED_CELLS,
    MAX_SAMPLED_SITES,
    PixelSample,
    check_depth,
    evenly_spread,
    limits_of_sites,
    sample_pixels,
    sampled_limits,
)
from gandl_shared.imaging.metrics import SiteMetrics, blank_tiles, site_metrics, tile_contrast
from gandl_shared.imaging.ome_zarr import with_levels
from gandl_shared.imaging.planes import focus_measure, reduce_planes
from gandl_shared.imaging.readers import (
    MAX_PIXELS,
    FileImage,
    Header,
    SiteFiles,
    count_images,
    decode,
    open_images,
    read_content,
    read_header,
    read_image,
    read_site,
    stack,
)
from gandl_shared.imaging.tiles import centred_origin, cut_tiles, prepare, tile_origins
from gandl_shared.schemas.choice import Reduction
from gandl_shared.schemas.limits import IntensityLimits

__all__ = [
    "MAX_CLIPPED",
    "MAX_PIXELS",
    "MAX_SAMPLED_CELLS",
    "MAX_SAMPLED_SITES",
    "MIN_USED",
    "FileImage",
    "Header",
    "IntensityLimits",
    "IntensityTally",
    "PixelSample",
    "Preprocessing",
    "Raw",
    "Reduction",
    "SiteFiles",
    "SiteMetrics",
    "Uint8",
    "blank_tiles",
    "centred_origin",
    "check_depth",
    "count_images",
    "cut_tiles",
    "decode",
    "downscaled",
    "evenly_spread",
    "focus_measure",
    "limits_of_sites",
    "misfit",
    "open_images",
    "prepare",
    "prepare_field",
    "read_content",
    "read_header",
    "read_image",
    "read_site",
    "reduce_planes",
    "sample_pixels",
    "sampled_limits",
    "shrunk",
    "site_metrics",
    "split_sites",
    "stack",
    "tile_contrast",
    "tile_origins",
    "to_uint8",
    "vector_key",
    "with_levels",
]
