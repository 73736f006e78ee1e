"""What an axis was fitted on, and how: everything that decides whether a later screen may be scored by it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import ClassVar

from gandl_science.assay.controls.distances import ControlDistances


class HeldOut(StrEnum):
    """The unit of wells that is left out together when an axis is fitted out of fold."""

    EXPERIMENT = "experiment"
    PLATE = "plate"
    ROW = "row"
    COLUMN = "column"
    WELL = "well"


class ControlStatus(StrEnum):
    """What the control wells are to the axis that scores them. The values are the words of the axis file."""

    HELD_OUT = "held_out"
    """Each control was scored by axes that were fitted without it."""
    UNSEEN = "screen"
    """The controls belong to a later screen, which no fit has used."""
    IN_SAMPLE = "none"
    """The axis was fitted on these controls, so that metrics of them flatter the assay."""


@dataclass(frozen=True, kw_only=True)
class TilePreparation:
    """How images became tiles: the factor of `downscale`, where the intensity `limits` come from (`plate`, `card` or
    explicit numbers as text) and the `size` of a tile in pixels."""

    downscale: int
    limits: str
    size: int

    def __str__(self) -> str:
        """Return the form that is compared, shown in messages and stored with an axis."""
        return json.dumps({"downscale": self.downscale, "limits": self.limits, "size": self.size}, sort_keys=True)

    @classmethod
    def parse(cls, text: str) -> TilePreparation:
        """Read the form that `str` gives. Raises ValueError, KeyError or TypeError for any other text."""
        fields = json.loads(text)
        return cls(downscale=int(fields["downscale"]), limits=str(fields["limits"]), size=int(fields["size"]))


@dataclass(frozen=True, kw_only=True)
class AxisProvenance:
    """The provenance of a fitted axis.

    `model_id` is the SHA-256 of the model file and `model` its name. `cell_line` is None for an axis over several cell
    lines. `control_keys` are hashes of the images of the control wells, only kept for efficacy axes. `off_axis_limit`
    is the off-axis distance beyond which a well counts as toxic, and `control_distances` are those of the held-out
    controls by class; None if there were too few controls to set one.
    """

    SCHEMA_VERSION: ClassVar[int] = 2

    model: str
    model_id: str
    preprocessing: TilePreparation
    normalisation: str
    cell_line: str | None = None
    control_keys: frozenset[str] = frozenset()
    off_axis_limit: float | None = None
    control_distances: ControlDistances | None = None

    def record(self) -> dict[str, str]:
        """Return the fields as they are hashed and stored with an axis. Absent values have no key."""
        optional = {
            "cell_line": self.cell_line,
            "controls": " ".join(sorted(self.control_keys)) or None,
            # repr gives the shortest text that reads back to the same float.
            "off_limit": None if self.off_axis_limit is None else repr(self.off_axis_limit),
            "off_controls": None if self.control_distances is None else self.control_distances.record(),
        }
        return {
            "model": self.model,
            "model_id": self.model_id,
            "preprocessing": str(self.preprocessing),
            "normalisation": self.normalisation,
            **{name: value for name, value in optional.items() if value is not None},
        }

    @classmethod
    def from_record(cls, record: Mapping[str, str]) -> AxisProvenance:
        """Read what `record` gives. Raises KeyError, TypeError or ValueError where a field is missing or malformed."""
        limit, distances = record.get("off_limit"), record.get("off_controls")
        return cls(
            model=record["model"],
            model_id=record["model_id"],
            preprocessing=TilePreparation.parse(record["preprocessing"]),
            normalisation=record["normalisation"],
            cell_line=record.get("cell_line"),
            control_keys=frozenset(record.get("controls", "").split()),
            off_axis_limit=None if limit is None else float(limit),
            control_distances=None if distances is None else ControlDistances.parse(distances),
        )
