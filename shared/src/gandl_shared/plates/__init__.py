"""Plate maps and the images of their wells."""

from gandl_shared.plates.columns import COLUMN_NAMES, has_metadata_prefix, metadata_column, plain_column
from gandl_shared.plates.layouts.file_columns import inside
from gandl_shared.plates.layouts.rxrx import plate_map_of_names
from gandl_shared.plates.map_table.published import EVERY_CONTROL, find_table
from gandl_shared.plates.map_table.roles import ROLE_NAMES
from gandl_shared.plates.patterns import PATTERNS, compile_pattern
from gandl_shared.plates.plate_map import (
    PlateMap,
    parse_plate_map,
    plate_map_of_bytes,
    read_plate_map,
)
from gandl_shared.plates.selection.channels import ModelInput
from gandl_shared.plates.site import Site, SiteId
from gandl_shared.plates.sites import (
    ImageSurvey,
    find_sites,
    order_of,
    part_with_images,
    plate_inventory,
    survey_images,
)
from gandl_shared.plates.well import UNSPECIFIED, Well
from gandl_shared.plates.well_names import parse_well, row_letters, standard_well_name, well_name
from gandl_shared.schemas.vocabulary import Role

__all__ = [
    "COLUMN_NAMES",
    "EVERY_CONTROL",
    "PATTERNS",
    "ROLE_NAMES",
    "UNSPECIFIED",
    "ImageSurvey",
    "ModelInput",
    "PlateMap",
    "Role",
    "Site",
    "SiteId",
    "Well",
    "compile_pattern",
    "find_sites",
    "find_table",
    "has_metadata_prefix",
    "inside",
    "metadata_column",
    "order_of",
    "parse_plate_map",
    "parse_well",
    "part_with_images",
    "plain_column",
    "plate_inventory",
    "plate_map_of_bytes",
    "plate_map_of_names",
    "read_plate_map",
    "row_letters",
    "standard_well_name",
    "survey_images",
    "well_name",
]
