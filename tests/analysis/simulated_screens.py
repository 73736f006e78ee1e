"""Simulated screens with known truth, for the tests of the analysis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_shared.plates import Role, SiteId, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.store.profiles import Profiles, join_profiles, site_profiles
from gandl_shared.testing import fake_card
from numpy.typing import NDArray

FEATURES = 16
SITES, TILES = 2, 3
DOSES = (0.01, 0.1, 0.3, 1.0, 3.0, 10.0)
MODEL_ID = "a" * 64
_SWAP = {Role.POSITIVE: Role.NEGATIVE, Role.NEGATIVE: Role.POSITIVE}


@dataclass(frozen=True)
class Simulated:
    """A screen in which every cell line has four rows of every plate, one cell line below the other.

    Positive controls are in columns 1 and 2, negative controls in 11 and 12, and compound X at six doses in columns 4
    to 9. Controls are `effect` apart along the first feature, cell lines `lines_apart` along the second, and plates
    `plates_apart` along the third. Wells vary by `well_sd` and tiles by 1. With `own_plates` each plate has one cell
    line only. With `mixed` the controls change places in every second row, so that no column explains them.
    """

    lines: Sequence[str] = ("U2OS",)
    plates: Sequence[str] = ("P1",)
    effect: float = 6.0
    lines_apart: float = 0.0
    plates_apart: float = 0.0
    well_sd: float = 0.4
    seed: int = 0
    own_plates: bool = False
    mixed: bool = False
    roles: Sequence[Role] = (Role.POSITIVE, Role.NEGATIVE, Role.TREATMENT)
    metadata: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def wells(self) -> list[Well]:
        """Return the plate map; `metadata` gives further columns by well name."""
        wells = []
        for p, plate in enumerate(self.plates):
            for k, line in enumerate(self.lines):
                if self.own_plates and p % len(self.lines) != k:
                    continue
                for i, row in enumerate("ABCDEFGHIJKLMNOP"[4 * k : 4 * k + 4]):
                    swap = _SWAP if self.mixed and i % 2 else {}
                    wells += [
                        self._well(plate, line, f"{row}{c:02d}", swap.get(role, role), dose)
                        for c, role, dose in _COLUMNS
                    ]
        return [w for w in wells if w.role in self.roles]

    def _well(self, plate: str, line: str, name: str, role: Role, dose: float | None) -> Well:
        compound = "X" if dose else "DMSO" if role is Role.NEGATIVE else None
        return Well(
            plate=plate,
            well=name,
            role=role,
            compound=compound,
            concentration_um=dose,
            cell_line=line,
            table_row=2,
            metadata=dict(self.metadata.get(name, {})),
        )

    def profiles(self) -> Profiles:
        """Return the vectors of two sites per well with three tiles each."""
        rng = np.random.default_rng(self.seed)
        parts = []
        for well in self.wells():
            centre = self._centre(well) + rng.normal(size=FEATURES) * self.well_sd
            for site in range(1, SITES + 1):
                vectors = (centre + rng.normal(size=(TILES, FEATURES))).astype(np.float32)
                key = f"{self.seed}-{well.plate}-{well.well}-{site}"
                parts.append(
                    site_profiles(
                        SiteId(well.plate, well.well, str(site)), [(0, 9 * t) for t in range(TILES)], key, vectors
                    )
                )
        return join_profiles(parts)

    def _centre(self, well: Well) -> NDArray[np.float64]:
        centre = np.zeros(FEATURES)
        towards = {Role.POSITIVE: 0.5, Role.NEGATIVE: -0.5}
        dose = well.concentration_um
        centre[0] = self.effect * (towards[well.role] if dose is None else dose / (dose + 1) - 0.5)
        centre[1] = self.lines_apart * self.lines.index(well.cell_line)
        centre[2] = self.plates_apart * self.plates.index(well.plate)
        return centre

    def screen(self, parameters: AnalysisParameters | None = None, **changes: object) -> ScreenInput:
        """Return the input of an analysis of it; `changes` replace fields of that."""
        fields: dict[str, object] = {
            "name": "simulated",
            "profiles": self.profiles(),
            "wells": self.wells(),
            "parked": (),
            "parameters": parameters or AnalysisParameters(),
            "card": fake_card(features=FEATURES),
            "model_id": MODEL_ID,
            "limits": {},
        }
        return ScreenInput(**{**fields, **changes})  # type: ignore[arg-type]


_COLUMNS = [
    *((c, Role.POSITIVE, None) for c in (1, 2)),
    *((c, Role.TREATMENT, dose) for c, dose in zip(range(4, 10), DOSES, strict=True)),
    *((c, Role.NEGATIVE, None) for c in (11, 12)),
]
