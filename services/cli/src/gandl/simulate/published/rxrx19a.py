"""A simulated compound screen in the form of RxRx19a: mock, irradiated and viral wells of HRCE and VERO cells."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from gandl_shared.errors import BadInput, Problem, raise_if
from gandl_shared.plates.well_names import well_name
from gandl_shared.schemas.vocabulary import Role

from gandl.simulate.cells.pharmacology import HEALTHY_WELL, Response
from gandl.simulate.plates.design import Compound, Controls, DoseLadder, ScreenDesign
from gandl.simulate.plates.layout import SimulatedPlate, SimulatedWell, plan
from gandl.simulate.plates.tables import write_truth
from gandl.simulate.plates.wells import WellJob, draw_sites
from gandl.simulate.published.sites import DrawnSite, Progress, PublishedForm, PublishedSite, write_published
from gandl.simulate.published.vectors import VectorDrawing
from gandl.simulate.seeds import Stream, stream

TITLE = "RxRx19a"
COLUMNS = (
    "site_id", "well_id", "cell_type", "experiment", "plate", "well", "site", "disease_condition", "treatment",
    "treatment_conc", "SMILES",
)  # fmt: skip
FEATURES = 1024
PLATES_PER_EXPERIMENT = 3
MAX_IRRADIATED = 12
_FIRST_ROW, _FIRST_COLUMN = 12, 1
"""Wells lie in the middle of a 1536-well plate, so that their names have one letter and two, as published ones."""
_CELL_TYPES = {"HRCE-like": "HRCE", "VERO-like": "VERO"}
_VERO = "VERO-like"
_IRRADIATED = "UV Inactivated SARS-CoV-2"
_CONDITIONS = {Role.POSITIVE: "Mock", Role.NEGATIVE: "Active SARS-CoV-2", Role.TREATMENT: "Active SARS-CoV-2"}


def _rescue(ec50: float, top: float = 0.95, slope: float = 1.5) -> Response:
    return Response(ec50_um=ec50, max_rescue=top, slope=slope)


def _window(ec50: float, toxicity: float) -> Response:
    return Response(ec50_um=ec50, max_rescue=0.95, toxicity_ec50_um=toxicity)


RXRX19A = ScreenDesign(
    compounds=(
        Compound("Simudesivir", _rescue(1.0), {_VERO: _rescue(3.0)}),
        Compound("SIM-441524", _rescue(0.6), {_VERO: _rescue(1.5)}),
        Compound("Simudatin", Response()),
        *(Compound(f"Rescuvir {k + 1}", _rescue(0.3 * 1.9**k, 0.95 - 0.05 * (k % 4))) for k in range(8)),
        Compound("Rescuvir HRCE", _rescue(0.8), {_VERO: Response()}),
        Compound("Rescuvir VERO", Response(), {_VERO: _rescue(0.8)}),
        *(Compound(f"Windowcin {k + 1}", _window(0.4 * 1.5**k, 8.0 * 1.4**k)) for k in range(4)),
        *(Compound(f"Toxomib {k + 1}", Response(toxicity_ec50_um=1.0 * 2.2**k)) for k in range(4)),
        *(Compound(f"Inertol {k + 1}", Response()) for k in range(9)),
    ),
    ladder=DoseLadder(top_um=30.0, count=6),
    replicates=6,
    controls=Controls(positive=20, negative=20),
    wells=384,
    bits=8,
    seed=20261127,
)
"""30 compounds at six half-log doses with six replicates, each on a plate of its own, in two cell lines."""


def simulate_rxrx19a(
    out: Path, design: ScreenDesign = RXRX19A, *, processes: int = 1, on_progress: Progress = lambda *_: None
) -> int:
    """Write a screen of this design in the form of RxRx19a, and return the number of its fields.

    Raises BadInput for an impossible design, and Conflict if `out` is not an empty folder.
    """
    own = [] if design.bits == 8 else [Problem("the images of RxRx19a have 8 bits", field="bits")]
    raise_if([*own, *design.problems()], BadInput, "this screen cannot be simulated")
    drawing = VectorDrawing(features=FEATURES, cell_types=tuple(design.cell_lines), seed=design.seed)
    wells = [well for plate, number in _numbered(plan(design)) for well in _wells(design, plate, number, drawing)]
    truth = partial(write_truth, design=design, names=_CELL_TYPES)
    form = PublishedForm(title=TITLE, columns=COLUMNS, truth=truth, features=FEATURES)
    return write_published(out, form, wells, processes=processes, on_progress=on_progress)


@dataclass(frozen=True, kw_only=True)
class _Well:
    job: WellJob
    number: int
    is_irradiated: bool
    drawing: VectorDrawing

    def rows(self) -> Iterator[Sequence[str]]:
        """Yield a row of the metadata for each field."""
        well = self.job.well
        condition = _IRRADIATED if self.is_irradiated else _CONDITIONS[well.role]
        dose = "" if well.dose_um is None else f"{well.dose_um:g}"
        for site in self._sites():
            address = (site.experiment, str(site.plate), site.well, str(site.site))
            content = (condition, well.compound, dose, "")
            yield site.site_id, site.well_id, _CELL_TYPES[self.job.cell_line], *address, *content

    def draw(self) -> Iterator[DrawnSite]:
        """Yield the fields of the well."""
        well = self.job.well
        position = well.row * self.job.design.shape[1] + well.column
        rng = stream(self.job.design.seed, Stream.WELL, self.job.plate, position, FEATURES)
        state = well.state or HEALTHY_WELL
        for site, image in zip(self._sites(), draw_sites(self.job), strict=True):
            vector = self.drawing.draw(self.job.cell_line, state, self.job.plate, rng)
            yield DrawnSite(site=site, image=image, vector=vector)

    def _sites(self) -> Iterator[PublishedSite]:
        experiment = 1 + (self.number - 1) // PLATES_PER_EXPERIMENT
        well = self.job.well
        name = well_name(well.row + 1 + _FIRST_ROW, well.column + 1 + _FIRST_COLUMN)
        for site in range(1, self.job.design.sites + 1):
            yield PublishedSite(
                experiment=f"{_CELL_TYPES[self.job.cell_line]}-{experiment}",
                plate=1 + (self.number - 1) % PLATES_PER_EXPERIMENT,
                well=name,
                site=site,
            )


def _numbered(plates: Sequence[SimulatedPlate]) -> Iterator[tuple[SimulatedPlate, int]]:
    """Yield each plate with its number among those of its cell line."""
    counts: dict[str, int] = {}
    for plate in plates:
        counts[plate.cell_line] = counts.get(plate.cell_line, 0) + 1
        yield plate, counts[plate.cell_line]


def _wells(design: ScreenDesign, plate: SimulatedPlate, number: int, drawing: VectorDrawing) -> Iterator[_Well]:
    """Yield the wells that hold cells. The first empty ones get cells with inactivated virus, which look healthy."""
    empty = [well for well in plate.wells if well.role is Role.EMPTY]
    # Every n-th empty well, so that these controls are spread over the plate as the others are.
    spread = empty[:: max(1, len(empty) // MAX_IRRADIATED)][:MAX_IRRADIATED]
    irradiated = {well.name for well in spread}
    for well in plate.wells:
        is_irradiated = well.name in irradiated
        if well.state is not None or is_irradiated:
            job = _job(design, plate, replace(well, state=HEALTHY_WELL) if is_irradiated else well)
            yield _Well(job=job, number=number, is_irradiated=is_irradiated, drawing=drawing)


def _job(design: ScreenDesign, plate: SimulatedPlate, well: SimulatedWell) -> WellJob:
    return WellJob(design=design, plate=plate.index, cell_line=plate.cell_line, well=well)
