"""What a person leaves out of an analysis: a plate, a well, a field of view, a dose, or the point of a curve."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator

from gandl_shared.schemas.base import Frozen
from gandl_shared.schemas.vocabulary import EXCLUSION_BY

Name = Annotated[str, Field(min_length=1, max_length=500, pattern=r"^[^\x00]*$")]
Reason = Annotated[str, Field(min_length=1, max_length=1000, pattern=r"^[^\x00]*\S[^\x00]*$")]
Author = Annotated[str, Field(min_length=1, max_length=100, pattern=r"^[^\x00\r\n]*\S[^\x00\r\n]*$")]
Concentration = Annotated[float, Field(ge=0, allow_inf_nan=False)]


class ExclusionLevel(StrEnum):
    """How much is left out.

    A plate, a well and a site count nowhere in the analysis. A dose and a point count in no curve, and their wells
    still count elsewhere.
    """

    PLATE = "plate"
    WELL = "well"
    SITE = "site"
    DOSE = "dose"
    POINT = "point"


_FIELDS: Mapping[ExclusionLevel, tuple[str, ...]] = {
    ExclusionLevel.PLATE: ("plate",),
    ExclusionLevel.WELL: ("plate", "well"),
    ExclusionLevel.SITE: ("plate", "well", "site"),
    ExclusionLevel.DOSE: ("compound", "concentration_um"),
    ExclusionLevel.POINT: ("plate", "well"),
}
_OPTIONAL = {ExclusionLevel.DOSE: ("cell_line",)}


class ExcludedItem(Frozen):
    """One thing that can be left out.

    Give `plate` for a plate, `plate` and `well` for a well or the point of its curve, these with `site` for a field of
    view, and `compound` with `concentration_um` for a dose. A dose counts in every cell line unless `cell_line` names
    one.
    """

    level: ExclusionLevel
    plate: Name | None = None
    well: Name | None = None
    site: Name | None = None
    compound: Name | None = None
    concentration_um: Concentration | None = None
    cell_line: Name | None = None

    @model_validator(mode="after")
    def _fields_of_level(self) -> ExcludedItem:
        required, optional = _FIELDS[self.level], _OPTIONAL.get(self.level, ())
        for name in ("plate", "well", "site", "compound", "concentration_um", "cell_line"):
            if name in required and getattr(self, name) is None:
                raise ValueError(f"an item of level {self.level} needs {name}")
            if name not in (*required, *optional) and getattr(self, name) is not None:
                raise ValueError(f"an item of level {self.level} has no {name}; it has {', '.join(required)}")
        return self

    @property
    def item(self) -> ExcludedItem:
        """The thing itself, without a reason. Two entries about the same thing have equal items."""
        return ExcludedItem.model_validate(self.model_dump(include=set(ExcludedItem.model_fields)))

    def __str__(self) -> str:
        if self.level is ExclusionLevel.DOSE:
            line = f" in {self.cell_line}" if self.cell_line else ""
            return f"dose {self.concentration_um:g} µM of {self.compound}{line}"
        if self.level is ExclusionLevel.PLATE:
            return f"plate {self.plate}"
        site = f", site {self.site}" if self.site else ""
        return (
            f"{'point of ' if self.level is ExclusionLevel.POINT else ''}well {self.well} of plate {self.plate}{site}"
        )


class Exclusion(ExcludedItem):
    """A thing that is left out, who decided so, why, and the number of the decision in the screen's trail."""

    reason: Reason
    author: Author
    decision: Annotated[int, Field(ge=1)]

    @property
    def text(self) -> str:
        """What stands beside everything that this leaves out."""
        return f"{EXCLUSION_BY}{self.author}: {self.reason}"
