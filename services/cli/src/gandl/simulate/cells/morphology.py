"""The look of cells: two cell lines, and the changes by infection and poisoning.

The traits of a cell are a weighted mean of the healthy, the infected and the poisoned phenotype, so that severity is
graded. Lengths are in pixels of a 256-pixel field, intensities in photo-electrons at a gain of one.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from types import MappingProxyType
from typing import Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Numbers = NDArray[np.floating]
T = TypeVar("T")

STAINS = ("DNA", "ER", "actin", "RNA", "Golgi")
"""The channels w1 to w5: nuclei, ER, actin, RNA and nucleoli, Golgi and membrane."""


@dataclass(frozen=True)
class Traits(Generic[T]):
    """The properties that differ between phenotypes: factors of the value of the cell line, or absolute where noted."""

    spread: T  # cell radius
    roundness: T  # 0 flat and spread .. 1 a ball
    lobes: T  # irregularity of the outline, absolute
    nucleus: T  # nuclear radius
    crumple: T  # irregularity of the nucleus, absolute
    dna: T
    chromatin: T  # contrast of the chromatin texture, absolute
    margination: T  # chromatin pushed to the nuclear rim, absolute
    er: T
    reticulum: T  # contrast of the ER network, absolute
    collapse: T  # share of the ER in one juxtanuclear clump, absolute
    cortex: T  # actin at the cell border
    fibres: T  # stress fibres
    actin: T  # diffuse actin
    nucleoli: T  # brightness of the nucleoli
    rna_nucleus: T
    rna_cytoplasm: T
    golgi: T
    scatter: T  # how far the Golgi is dispersed, in nuclear radii, absolute
    membrane: T
    vacuoles: T  # how many, absolute
    survival: T  # chance that the cell is still attached


HEALTHY_TRAITS = Traits(
    spread=1.0, roundness=0.05, lobes=0.10, nucleus=1.0, crumple=0.04, dna=1.0, chromatin=0.22, margination=0.0,
    er=1.0, reticulum=0.45, collapse=0.05, cortex=1.0, fibres=1.0, actin=1.0, nucleoli=1.0, rna_nucleus=1.0,
    rna_cytoplasm=1.0, golgi=1.0, scatter=0.55, membrane=1.0, vacuoles=0.3, survival=0.99,
)  # fmt: skip
INFECTED_TRAITS = Traits(
    spread=0.78, roundness=0.75, lobes=0.06, nucleus=1.08, crumple=0.09, dna=0.92, chromatin=0.40, margination=0.5,
    er=1.5, reticulum=0.2, collapse=0.7, cortex=1.6, fibres=0.2, actin=1.35, nucleoli=0.3, rna_nucleus=0.95,
    rna_cytoplasm=1.45, golgi=1.15, scatter=1.7, membrane=1.5, vacuoles=0.6, survival=0.80,
)  # fmt: skip
POISONED_TRAITS = Traits(
    spread=0.85, roundness=0.60, lobes=0.22, nucleus=0.60, crumple=0.14, dna=1.6, chromatin=0.35, margination=0.4,
    er=1.5, reticulum=0.1, collapse=1.0, cortex=1.6, fibres=0.05, actin=1.3, nucleoli=0.05, rna_nucleus=0.9,
    rna_cytoplasm=1.3, golgi=1.2, scatter=2.0, membrane=1.6, vacuoles=8.0, survival=0.75,
)  # fmt: skip

SYNCYTIUM_CHANCE = 0.14
"""The chance that an infected cell fuses with its infected neighbours."""


@dataclass(frozen=True, kw_only=True)
class CellMorphology:
    """The look of one cell line. `spacing`, `radius` and `nucleus` are pixels; `elongation` is the mean axis ratio."""

    name: str
    spacing: float
    radius: float
    nucleus: float
    elongation: float
    alignment: float  # 0 random .. 1 parallel to the neighbours
    eccentricity: float  # of the nucleus
    brightness: tuple[float, float, float, float, float]
    fibres: float


CELL_LINES = MappingProxyType(
    {
        "HRCE-like": CellMorphology(
            name="HRCE-like",
            spacing=38.0,
            radius=29.0,
            nucleus=12.0,
            elongation=1.75,
            alignment=0.7,
            eccentricity=1.35,
            brightness=(900, 620, 560, 640, 520),
            fibres=1.0,
        ),
        "VERO-like": CellMorphology(
            name="VERO-like",
            spacing=32.0,
            radius=23.5,
            nucleus=10.0,
            elongation=1.15,
            alignment=0.0,
            eccentricity=1.12,
            brightness=(1050, 700, 480, 720, 600),
            fibres=0.35,
        ),
    }
)
"""HRCE-like cells are larger, elongated and aligned, with stress fibres; VERO-like cells are a dense cobblestone."""


def traits_of(weights: Floats) -> Traits[Floats]:
    """Return the traits of n cells from their weights [n, 3] of the healthy, infected and poisoned phenotype."""
    table = np.array([astuple(p) for p in (HEALTHY_TRAITS, INFECTED_TRAITS, POISONED_TRAITS)], np.float32)
    return Traits(*np.ascontiguousarray((weights @ table).T))
