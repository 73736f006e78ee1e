"""What the reader of a table of wells returns."""

from __future__ import annotations

from dataclasses import dataclass

from gandl_shared.errors import Problem
from gandl_shared.plates.well import Well


@dataclass(frozen=True, kw_only=True)
class MapReading:
    """The wells of the rows without problems, the problems of all others, and what was assumed."""

    wells: tuple[Well, ...]
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]
