"""The further columns of the plate map in the tables of a screen."""

from __future__ import annotations

from collections.abc import Iterable

from gandl_shared.plates import metadata_column
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import Hit, WellScore


def metadata_columns(items: Iterable[WellScore | Curve | Hit]) -> list[str]:
    """Return the names of the further columns of the plate map, with pycytominer's prefix."""
    return list(dict.fromkeys(name for item in items for name in prefixed_metadata(item)))


def prefixed_metadata(item: WellScore | Curve | Hit) -> dict[str, str]:
    """Return the further columns of a well or a compound, with pycytominer's prefix."""
    return {metadata_column(name): value for name, value in item.metadata.items()}
