"""The metadata of a plate in OME-Zarr (NGFF 0.4 and 0.5): JSON in, frozen values out; no pixels are read."""

from gandl_shared.plates.ome_zarr.arrays import ArrayMetadata, read_array_metadata
from gandl_shared.plates.ome_zarr.groups import Group, read_group
from gandl_shared.plates.ome_zarr.multiscales import Level, Multiscale, read_multiscale
from gandl_shared.plates.ome_zarr.plate import PlateField, PlateMetadata, read_plate

__all__ = [
    "ArrayMetadata",
    "Group",
    "Level",
    "Multiscale",
    "PlateField",
    "PlateMetadata",
    "read_array_metadata",
    "read_group",
    "read_multiscale",
    "read_plate",
]
