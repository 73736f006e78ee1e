"""Plate maps and the images of their wells."""

from gandl_shared.plates.columns import has_metadata_prefix, metadata_column, plain_column
from gandl_shared.plates.plate_map import (
    COLUMN_NAMES,
    ROLE_NAMES,
    UNSPECIFIED,
    PlateMap,
    Well,
    parse_plate_map,
    plate_map_from_rows,
    read_plate_map,
    row_name,
    well_name,
)
from gandl_shared.plates.sites import PATTERNS, Site, compile_pattern, find_sites, inside
from gandl_shared.schemas.vocabulary import Role

__all__ = [
    "COLUMN_NAMES",
    "PATTERNS",
    "ROLE_NAMES",
    "UNSPECIFIED",
    "PlateMap",
    "Role",
    "Site",
    "Well",
    "compile_pattern",
    "find_sites",
    "has_metadata_prefix",
    "inside",
    "metadata_column",
    "parse_plate_map",
    "plain_column",
    "plate_map_from_rows",
    "read_plate_map",
    "row_name",
    "well_name",
]
