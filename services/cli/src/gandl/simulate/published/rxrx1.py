"""A simulated knockdown screen in the form of RxRx1: four cell types, six stains, siRNAs without doses."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from gandl_shared.errors import BadInput, Problem, raise_if
from gandl_shared.plates.well_names import well_name

from gandl.simulate.cells.morphology import CELL_LINES, CellMorphology, Floats
from gandl.simulate.cells.pharmacology import HEALTHY_WELL, WellState
from gandl.simulate.cells.population import populate
from gandl.simulate.cells.textures import noise
from gandl.simulate.microscope.camera import Image, photograph
from gandl.simulate.microscope.effects import Effects, draw_plate, draw_well
from gandl.simulate.microscope.stains import paint
from gandl.simulate.plates.design import MAX_SIZE, MIN_SIZE
from gandl.simulate.plates.wells import jittered
from gandl.simulate.published.sites import DrawnSite, Progress, PublishedForm, PublishedSite, write_published
from gandl.simulate.published.vectors import VectorDrawing
from gandl.simulate.seeds import Stream, stream

TITLE = "RxRx1"
COLUMNS = (
    "site_id", "well_id", "cell_type", "dataset", "experiment", "plate", "well", "site", "well_type", "sirna",
    "sirna_id",
)  # fmt: skip
FEATURES = 128
CHANNELS = 6
_MITO = 4


def _cells(
    name: str, spacing: float, radius: float, nucleus: float, elongation: float, fibres: float, alignment: float = 0.0
) -> CellMorphology:
    brightness = CELL_LINES["VERO-like"].brightness
    shape = {"elongation": elongation, "alignment": alignment, "eccentricity": 1.0 + (elongation - 1) / 2}
    return CellMorphology(
        name=name, spacing=spacing, radius=radius, nucleus=nucleus, brightness=brightness, fibres=fibres, **shape
    )


CELL_TYPES = {
    "HEPG2": _cells("HEPG2", 25.0, 17.5, 8.5, 1.1, 0.15),
    "HUVEC": _cells("HUVEC", 36.0, 28.0, 10.5, 1.55, 0.5, 0.3),
    "RPE": _cells("RPE", 33.0, 24.0, 11.0, 1.25, 0.8, 0.1),
    "U2OS": _cells("U2OS", 40.0, 30.0, 12.5, 1.35, 1.0),
}
"""Four kinds of cells that the simulator draws nowhere else. They are told apart by shape, density and fibres, since
all have the same brightness; they resemble the real lines in little more than size."""

KNOCKDOWNS = (
    ("", "negative_control", HEALTHY_WELL),
    ("siPOS", "positive_control", WellState(rescue=0.1)),
    ("siA", "treatment", WellState(rescue=0.4)),
    ("siB", "treatment", WellState(rescue=0.7)),
    ("siC", "treatment", HEALTHY_WELL),
    ("siKILL", "treatment", WellState(rescue=1.0, toxicity=0.6)),
)
"""Each siRNA, its type in the metadata, and the state of its wells: the true share of changed and of dying cells."""


@dataclass(frozen=True, kw_only=True)
class KnockdownDesign:
    """Experiments per cell type, plates per experiment, wells per siRNA and plate, fields per well, and their size."""

    experiments: int = 2
    plates: int = 2
    replicates: int = 2
    sites: int = 2
    size: int = 256
    effects: Effects = field(default_factory=Effects)
    seed: int = 20261128

    def problems(self) -> list[Problem]:
        """Return a problem for each impossible number."""
        limits = {
            "experiments": (self.experiments, 1, 99),
            "plates": (self.plates, 1, 99),
            "replicates": (self.replicates, 1, 48),
            "sites": (self.sites, 1, 36),
            "size": (self.size, MIN_SIZE, MAX_SIZE),
            "seed": (self.seed, 0, 2**63 - 1),
        }
        return [
            Problem(f"{value} is not between {low} and {high}", field=name)
            for name, (value, low, high) in limits.items()
            if not low <= value <= high
        ]


RXRX1 = KnockdownDesign()


def simulate_rxrx1(
    out: Path, design: KnockdownDesign = RXRX1, *, processes: int = 1, on_progress: Progress = lambda *_: None
) -> int:
    """Write a screen of this design in the form of RxRx1, and return the number of its fields.

    Raises BadInput for an impossible design, and Conflict if `out` is not an empty folder.
    """
    raise_if(design.problems(), BadInput, "this screen cannot be simulated")
    drawing = VectorDrawing(features=FEATURES, cell_types=tuple(CELL_TYPES), seed=design.seed)
    form = PublishedForm(title=TITLE, columns=COLUMNS, truth=_write_truth, features=FEATURES)
    return write_published(out, form, list(_wells(design, drawing)), processes=processes, on_progress=on_progress)


def _wells(design: KnockdownDesign, drawing: VectorDrawing) -> Iterator[_Well]:
    contents = [k for k in range(len(KNOCKDOWNS)) for _ in range(design.replicates)]
    index = 0
    for cell_type in CELL_TYPES:
        for experiment in range(1, design.experiments + 1):
            for plate in range(1, design.plates + 1):
                # siRNAs have other wells on each plate, so that a position tells nothing about them.
                order = stream(design.seed, Stream.LAYOUT, index).permutation(len(contents))
                for position, k in enumerate(order.tolist()):
                    yield _Well(
                        design=design,
                        drawing=drawing,
                        cell_type=cell_type,
                        experiment=f"{cell_type}-{experiment:02d}",
                        plate=plate,
                        index=index,
                        position=position,
                        knockdown=contents[k],
                    )
                index += 1


@dataclass(frozen=True, kw_only=True)
class _Well:
    design: KnockdownDesign
    drawing: VectorDrawing
    cell_type: str
    experiment: str
    plate: int
    index: int
    position: int
    knockdown: int

    def rows(self) -> Iterator[Sequence[str]]:
        """Yield a row of the metadata for each field."""
        name, kind, _ = KNOCKDOWNS[self.knockdown]
        for site in self._sites():
            address = (site.experiment, str(site.plate), site.well, str(site.site))
            names = (kind, name or "EMPTY", str(self.knockdown))
            yield site.site_id, site.well_id, self.cell_type, "simulated", *address, *names

    def draw(self) -> Iterator[DrawnSite]:
        """Yield the fields of the well."""
        rng = stream(self.design.seed, Stream.WELL, self.index, self.position)
        plate = draw_plate(self.design.effects, stream(self.design.seed, Stream.PLATE, self.index), CHANNELS)
        effects = draw_well(self.design.effects, plate, (0.0, 0.0), 0.0, rng)
        state = jittered(KNOCKDOWNS[self.knockdown][2], self.design.effects.state, rng)
        for site in self._sites():
            cells = populate(CELL_TYPES[self.cell_type], state, effects.density, self.design.size, rng)
            stains = with_mitochondria(paint(CELL_TYPES[self.cell_type], cells, self.design.size, rng), rng)
            image: Image = photograph(stains, effects, 8, rng)
            yield DrawnSite(site=site, image=image, vector=self.drawing.draw(self.cell_type, state, self.index, rng))

    def _sites(self) -> Iterator[PublishedSite]:
        name = well_name(2 + self.position % 14, 2 + self.position // 14)
        for site in range(1, self.design.sites + 1):
            yield PublishedSite(experiment=self.experiment, plate=self.plate, well=name, site=site)


def with_mitochondria(stains: Floats, rng: np.random.Generator) -> Floats:
    """Return six stains [6, H, W] from five: MitoTracker, grains where the ER is, goes before the last one."""
    grains = np.clip(0.5 + noise(2.5, stains.shape[-1], rng), 0, 2)
    return np.insert(stains, _MITO, 0.8 * stains[1] * grains, axis=0).astype(np.float32)


def _write_truth(path: Path) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("sirna", "well_type", "changed", "dying"))
        writer.writerows(
            (name or "EMPTY", kind, f"{1 - state.rescue:g}", f"{state.toxicity:g}") for name, kind, state in KNOCKDOWNS
        )
