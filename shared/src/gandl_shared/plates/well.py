"""One well of a plate, as a plate map describes it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from gandl_shared.plates.columns import plain_column
from gandl_shared.schemas.vocabulary import Role

UNSPECIFIED = "unspecified"
"""The cell line of a well without one."""


@dataclass(frozen=True, kw_only=True)
class Well:
    """One well of one plate. `table_row` is the row of the file (the header is often 1); concentrations are in µM."""

    plate: str
    well: str
    role: Role
    compound: str | None
    concentration_um: float | None
    cell_line: str
    table_row: int
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def experiment(self) -> str:
        """The value of the column `experiment` of the plate map; empty without that column."""
        return next((v for k, v in self.metadata.items() if plain_column(k).lower() == "experiment"), "")
