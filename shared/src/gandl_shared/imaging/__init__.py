"""Images: read from files, mapped to uint8 fields, cut into tiles, and measured."""

from gandl_shared.imaging.fields import Preprocessing, Uint8, downscaled, prepare_field, to_uint8
from gandl_shared.imaging.limits import MAX_SAMPLED_SITES, check_depth, evenly_spread, limits_of_sites, sampled_limits
from gandl_shared.imaging.metrics import SiteMetrics, blank_tiles, site_metrics, tile_contrast
from gandl_shared.imaging.readers import MAX_PIXELS, Header, Raw, decode, read_header, read_image, read_site, stack
from gandl_shared.imaging.tiles import cut_tiles, prepare, tile_origins
from gandl_shared.schemas.limits import IntensityLimits

__all__ = [
    "MAX_PIXELS",
    "MAX_SAMPLED_SITES",
    "Header",
    "IntensityLimits",
    "Preprocessing",
    "Raw",
    "SiteMetrics",
    "Uint8",
    "blank_tiles",
    "check_depth",
    "cut_tiles",
    "decode",
    "downscaled",
    "evenly_spread",
    "limits_of_sites",
    "prepare",
    "prepare_field",
    "read_header",
    "read_image",
    "read_site",
    "sampled_limits",
    "site_metrics",
    "stack",
    "tile_contrast",
    "tile_origins",
    "to_uint8",
]
