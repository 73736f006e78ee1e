"""The packed fields of a run on disk: one memory-mapped array, and an index that says where each field comes from."""

from __future__ import annotations

import json
import mmap
from dataclasses import asdict, dataclass, field
from pathlib import Path

import numpy as np
from gandl_shared.errors import BadInput
from gandl_shared.schemas.choice import ImageChoice
from gandl_shared.schemas.vocabulary import Role
from numpy.typing import NDArray

Uint8 = NDArray[np.uint8]

FIELDS, INDEX = "fields.npy", "fields.json"


@dataclass(frozen=True, kw_only=True)
class FieldRecord:
    """Where a stored field comes from. Role, cell line and experiment serve the control probe only; training never
    uses them. `experiment` is empty in stores that were packed before it was recorded, so it is not compared. The image
    of a single cell has its file name as `site`, and everything else is empty."""

    plate: str
    well: str
    site: str
    role: str
    cell_line: str
    experiment: str = field(default="", compare=False)


@dataclass(frozen=True, kw_only=True)
class StoreIndex:
    """The content of `fields.json`: the names of the channels, the downscaling, the intensity limits [C] for the model
    card, one record per field, the pattern of file names and the channels if they were given (`selection`), and the
    choice between several images of one site and channel. With `single_cells` each field is the image of one cell."""

    channels: tuple[str, ...]
    downscale: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    records: tuple[FieldRecord, ...]
    pattern: str | None = None
    selection: tuple[str, ...] | None = None
    choice: ImageChoice = field(default_factory=ImageChoice)
    single_cells: bool = False

    def to_json(self) -> str:
        """Return the index as JSON; `from_json` reads it back equal."""
        return json.dumps(asdict(self) | {"choice": self.choice.model_dump(mode="json")}, indent=1)

    @classmethod
    def from_json(cls, text: str) -> StoreIndex:
        """Read the JSON of `to_json`. Raises KeyError, TypeError or ValueError where it is not such JSON."""
        values = json.loads(text)
        return cls(
            channels=tuple(values["channels"]),
            downscale=values["downscale"],
            low=tuple(values["low"]),
            high=tuple(values["high"]),
            records=tuple(FieldRecord(**record) for record in values["records"]),
            pattern=values.get("pattern"),
            selection=tuple(values["selection"]) if values.get("selection") else None,
            choice=ImageChoice.model_validate(values.get("choice", {})),
            single_cells=values.get("single_cells", False),
        )

    @property
    def cell_lines(self) -> tuple[str, ...]:
        """The cell lines of the fields, in the order of the plate map; images of single cells have none."""
        return tuple(dict.fromkeys(record.cell_line for record in self.records if record.cell_line))

    @property
    def has_controls(self) -> bool:
        """Whether any field is that of a control well."""
        return any(record.role in (Role.POSITIVE, Role.NEGATIVE) for record in self.records)


@dataclass(frozen=True)
class FieldStore:
    """Fields [F, C, H, W] uint8 on disk, mapped into memory page by page as crops are read."""

    fields: Uint8
    index: StoreIndex

    @classmethod
    def open(cls, folder: Path) -> FieldStore:
        """Open the store in `folder`. Raises BadInput where the folder holds none."""
        try:
            fields = np.load(folder / FIELDS, mmap_mode="r", allow_pickle=False)
            return cls(fields, StoreIndex.from_json((folder / INDEX).read_text()))
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BadInput(
                f"{folder} holds no packed fields: {error}; give the folder of a `gandl train` run"
            ) from error

    @property
    def channels(self) -> int:
        """The number of channels."""
        return int(self.fields.shape[1])

    def release(self) -> None:
        """Remove what was read so far from the memory of this process; the system may keep it in its file cache.

        Without this, a long run would hold the whole store in memory, however large it is.
        """
        # MADV_DONTNEED drops the pages of a read-only mapping; the next read brings them back from the file.
        mapped: object = self.fields.base
        if isinstance(mapped, mmap.mmap):
            mapped.madvise(mmap.MADV_DONTNEED)
