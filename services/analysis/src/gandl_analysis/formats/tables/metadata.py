"""The further columns of the plate map in the tables of a screen."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from gandl_shared.plates import has_metadata_prefix, metadata_column
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import Hit, WellScore

_NUMBER = re.compile(r"[+-]?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]{1,2})?")
_MAX_DIGITS = 15
"""The most decimal digits that a number of 64 bits holds without a change."""


def metadata_columns(items: Iterable[WellScore | Curve | Hit]) -> list[str]:
    """Return the names of the further columns of the plate map, with pycytominer's prefix."""
    return list(dict.fromkeys(name for item in items for name in prefixed_metadata(item)))


def prefixed_metadata(item: WellScore | Curve | Hit) -> dict[str, str]:
    """Return the further columns of a well or a compound, with pycytominer's prefix."""
    return {metadata_column(name): value for name, value in item.metadata.items()}


def numeric_metadata(columns: Sequence[str], records: Sequence[Mapping[str, object]]) -> frozenset[str]:
    """Return the further columns whose texts are all numbers; an empty cell is no text, and one text must be there.

    A number that would change as one is a text: a code such as 007, and one of more than 15 digits.
    """
    texts = {
        name: {str(text).strip() for record in records if (text := record.get(name)) is not None} - {""}
        for name in columns
        if has_metadata_prefix(name)
    }
    return frozenset(name for name, values in texts.items() if values and all(map(_is_number, values)))


def metadata_number(text: object) -> float | None:
    """Return the number of a cell of such a column; None for an empty one."""
    plain = "" if text is None else str(text).strip()
    return float(plain) if plain else None


def _is_number(text: str) -> bool:
    return _NUMBER.fullmatch(text) is not None and sum(character.isdigit() for character in text) <= _MAX_DIGITS
