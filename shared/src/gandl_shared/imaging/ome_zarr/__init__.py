"""Images in OME-Zarr: planes read from a plate, the level of a pyramid, and plates written."""

from gandl_shared.imaging.ome_zarr.levels import with_levels
from gandl_shared.imaging.ome_zarr.planes import PlaneHeader, is_plane, read_plane, read_plane_header

__all__ = ["PlaneHeader", "is_plane", "read_plane", "read_plane_header", "with_levels"]
