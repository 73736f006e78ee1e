"""The input of an analysis: the vectors of a screen, its wells, how both came about, and what is to be computed."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from gandl_science.assay.controls.distances import ControlDistances
from gandl_science.axis.definition import E2
from gandl_science.axis.fitted import AxisFit
from gandl_science.axis.provenance import AxisProvenance, TilePreparation
from gandl_shared.models import ModelCard, TableCard, VectorCard
from gandl_shared.models.numerics import kind_of
from gandl_shared.plates import Role, Well
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.image_layout import ImageLayout
from gandl_shared.schemas.limits import IntensityLimits, PlateIntensities
from gandl_shared.schemas.screen import ParkedSite
from gandl_shared.store import Profiles


@dataclass(frozen=True, kw_only=True)
class Preparation:
    """How the vectors of a screen were computed.

    `model_id` is the SHA-256 of the model file and `card` its card; for vectors of a table, it is the SHA-256 of what
    decides the meaning of their numbers (see `gandl_analysis.formats.profiles`). `limits` says where intensity limits
    come from (see `limits_text`), and `normalisation` names the normalisation by plate. `precision` is that of the
    arithmetic, empty where it is that of the model file, and None while nothing is embedded yet.
    """

    model_id: str
    card: VectorCard
    limits: str
    normalisation: str
    precision: str | None = None

    def provenance(
        self,
        *,
        cell_line: str | None,
        control_keys: frozenset[str] = frozenset(),
        off_axis_limit: float | None = None,
        control_distances: ControlDistances | None = None,
        on_raw_vectors: bool = False,
    ) -> AxisProvenance:
        """Return the provenance of an axis that was fitted on such vectors.

        `on_raw_vectors` is True for an axis on vectors that were not normalised by plate.
        """
        return AxisProvenance(
            model=self.card.name,
            model_id=f"{self.model_id} in {self.precision}" if self.precision else self.model_id,
            preprocessing=self._tiles,
            normalisation="none" if on_raw_vectors else self.normalisation,
            cell_line=cell_line,
            control_keys=control_keys,
            off_axis_limit=off_axis_limit,
            control_distances=control_distances,
        )

    @property
    def _tiles(self) -> TilePreparation:
        if isinstance(self.card, ModelCard):
            return TilePreparation(downscale=self.card.downscale, limits=self.limits, size=self.card.size)
        # Vectors of a table come from no tiles that anybody here has seen.
        return TilePreparation(downscale=1, limits=self.limits, size=0)


@dataclass(frozen=True)
class EarlierAxes:
    """Fitted axes of an earlier screen to score by, and their `source` as messages and provenance name it."""

    fits: tuple[AxisFit, ...]
    source: str

    @property
    def efficacy(self) -> tuple[AxisFit, ...]:
        """The efficacy axes among them."""
        return tuple(fit for fit in self.fits if fit.name == E2.name)

    def of_cell_line(self, cell_line: str) -> AxisFit:
        """Return the efficacy axis of a cell line that `check_earlier` has accepted."""
        return next(fit for fit in self.efficacy if fit.cell_line == cell_line)


@dataclass(frozen=True, kw_only=True)
class ScreenInput:
    """Everything that an analysis needs.

    `wells` are in the order of the plate map and include empty ones. `limits` are the intensity limits per plate, and
    `limits_from` says where they come from (see `limits_text`). `image_layout` says how the images were read,
    where that was stored. `earlier` are efficacy axes to score by; without them the axes are fitted on this screen.
    `notes` say what was assumed while the input was read.
    `intensities` tells how the pixels of each plate lie in its limits.
    """

    name: str
    profiles: Profiles
    wells: Sequence[Well]
    parked: Sequence[ParkedSite]
    parameters: AnalysisParameters
    card: VectorCard
    model_id: str
    limits: Mapping[str, IntensityLimits]
    limits_from: str = "plate"
    image_layout: ImageLayout | None = None
    earlier: EarlierAxes | None = None
    notes: tuple[str, ...] = ()
    intensities: Mapping[str, PlateIntensities] = field(default_factory=dict)

    @property
    def used_wells(self) -> list[Well]:
        """The wells that hold cells."""
        return [w for w in self.wells if w.role is not Role.EMPTY]

    @property
    def well_index(self) -> dict[tuple[str, str], int]:
        """The index of each well in the plate map, by plate and name."""
        return {(w.plate, w.well): i for i, w in enumerate(self.wells)}

    @property
    def preparation(self) -> Preparation:
        """How its vectors were computed."""
        return Preparation(
            model_id=self.model_id,
            card=self.card,
            limits=self.limits_from,
            normalisation=self.parameters.normalisation,
            precision=self._precision,
        )

    @property
    def _precision(self) -> str:
        """The precision of the vectors, empty for that of the model file."""
        kinds = {kind_of(key) for key in set(self.profiles.keys.tolist())}
        return next((kind.partition(".")[2] for kind in sorted(kinds) if kind.startswith("openvino.")), "")


NO_LIMITS = "none"
"""The place where intensity limits come from, for vectors of a table."""


def limits_of(card: VectorCard, limits: Literal["plate", "card"] | IntensityLimits) -> str:
    """Return `limits_text` of a screen with this card; vectors of a table have no limits."""
    return NO_LIMITS if isinstance(card, TableCard) else limits_text(limits)


def limits_text(limits: Literal["plate", "card"] | IntensityLimits) -> str:
    """Return where intensity limits come from, in a form that can be compared: a word, or explicit limits as JSON."""
    return limits if isinstance(limits, str) else json.dumps([limits.low, limits.high])
