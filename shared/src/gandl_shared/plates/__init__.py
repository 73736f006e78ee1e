"""Plate maps and the images of their wells.

The parts load at their first use, because a command that reads a table of responses needs no images.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
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
    from gandl_shared.plates.selection.single_cells import single_cells
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
    "single_cells",
    "standard_well_name",
    "survey_images",
    "well_name",
]

_MODULES = {
    "COLUMN_NAMES": "gandl_shared.plates.columns",
    "EVERY_CONTROL": "gandl_shared.plates.map_table.published",
    "ImageSurvey": "gandl_shared.plates.sites",
    "ModelInput": "gandl_shared.plates.selection.channels",
    "PATTERNS": "gandl_shared.plates.patterns",
    "PlateMap": "gandl_shared.plates.plate_map",
    "ROLE_NAMES": "gandl_shared.plates.map_table.roles",
    "Role": "gandl_shared.schemas.vocabulary",
    "Site": "gandl_shared.plates.site",
    "SiteId": "gandl_shared.plates.site",
    "UNSPECIFIED": "gandl_shared.plates.well",
    "Well": "gandl_shared.plates.well",
    "compile_pattern": "gandl_shared.plates.patterns",
    "find_sites": "gandl_shared.plates.sites",
    "find_table": "gandl_shared.plates.map_table.published",
    "has_metadata_prefix": "gandl_shared.plates.columns",
    "inside": "gandl_shared.plates.layouts.file_columns",
    "metadata_column": "gandl_shared.plates.columns",
    "order_of": "gandl_shared.plates.sites",
    "parse_plate_map": "gandl_shared.plates.plate_map",
    "parse_well": "gandl_shared.plates.well_names",
    "part_with_images": "gandl_shared.plates.sites",
    "plain_column": "gandl_shared.plates.columns",
    "plate_inventory": "gandl_shared.plates.sites",
    "plate_map_of_bytes": "gandl_shared.plates.plate_map",
    "plate_map_of_names": "gandl_shared.plates.layouts.rxrx",
    "read_plate_map": "gandl_shared.plates.plate_map",
    "row_letters": "gandl_shared.plates.well_names",
    "single_cells": "gandl_shared.plates.selection.single_cells",
    "standard_well_name": "gandl_shared.plates.well_names",
    "survey_images": "gandl_shared.plates.sites",
    "well_name": "gandl_shared.plates.well_names",
}
"""The module of each name."""


def __getattr__(name: str) -> object:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_MODULES[name]), name)
    # The next use finds the name itself.
    globals()[name] = value
    return value
