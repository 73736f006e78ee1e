"""Time and memory of a whole analysis, from vectors to the stored result, for screens up to the size of RxRx19a.

`python -m benchmarks.analysis.scale --page docs/axes-and-quality.md` runs `analyse` of the pipeline (axis, scores,
curves with bootstrap, quality and every probe) in a fresh process for each size, and writes the table between the marks
of the page. The vectors are simulated: two cell lines, plates that differ, compounds of every shape, and one well in a
hundred without images.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from gandl_analysis.pipeline import analyse as pipeline
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_shared.models import Channel, ModelCard, TrainingRecord
from gandl_shared.plates import Role, Well, well_name
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.store import Profiles
from numpy.typing import NDArray

from benchmarks.tables import write_between

SCORE, CURVES = "score_efficacy", "fit_compounds"
FEATURES, SITES, PLATES = 512, 4, 30
COMPOUNDS, REPLICATES, CONTROLS = 1672, 3, 8510
"""The size of RxRx19a: in two cell lines, and without the lost wells, 305,520 vectors or more and 3,344 curves."""
DOSES = np.geomspace(0.01, 10.0, 6).round(4)
LOST = 0.01
SIZES = (0.1, 1 / 3, 1.0)


@dataclass(frozen=True, kw_only=True)
class Cost:
    """The cost of one size: seconds of `analyse` alone, and peak memory of the whole process in GiB.

    `scored` are the seconds for efficacies and curves; the rest goes to other axes, quality and probes.
    """

    vectors: int
    wells: int
    curves: int
    scored: float
    wall: float
    cpu: float
    memory: float


def wells_of(cell_line: str, share: float, rng: np.random.Generator) -> tuple[list[Well], NDArray[np.float64]]:
    """Return the plate map of a cell line with its contents in random wells, and the true efficacy [W] of each well."""
    compounds, controls = round(COMPOUNDS * share), round(CONTROLS * share / 2)
    contents: list[tuple[Role, str | None, float | None, float]] = [(Role.POSITIVE, None, None, 1.0)] * controls
    contents += [(Role.NEGATIVE, None, None, -1.0)] * controls
    for i in range(compounds):
        ec50, kills = 10 ** rng.uniform(-1.5, 0.5), i % 20 == 1
        for dose in DOSES:
            on = -1 + 2 / (1 + (ec50 / dose) ** 1.5) / (1 + (dose / 3) ** 3 if kills else 1) if i % 5 < 2 else -1.0
            contents += [(Role.TREATMENT, f"compound {i}", float(dose), float(on))] * REPLICATES
    plates = max(round(PLATES * share), 2)
    order = rng.permutation(len(contents))
    wells = []
    for number, k in enumerate(order):
        role, compound, dose, _ = contents[k]
        # The wells of each plate are filled row by row, 48 columns wide.
        row, column = divmod(number // plates, 48)
        wells.append(
            Well(
                plate=f"{cell_line}-{number % plates + 1}",
                well=well_name(row + 1, column + 1),
                role=role,
                compound=compound,
                concentration_um=dose,
                cell_line=cell_line,
                table_row=number + 2,
            )
        )
    return wells, np.array([contents[k][3] for k in order])


def screen(share: float, seed: int = 0) -> ScreenInput:
    """Return a screen of this share of the full size."""
    rng = np.random.default_rng(seed)
    wells: list[Well] = []
    truth: list[float] = []
    for cell_line in ("HRCE", "VERO"):
        of_cell_line, efficacy = wells_of(cell_line, share, rng)
        wells, truth = wells + of_cell_line, truth + efficacy.tolist()
    imaged = rng.random(len(wells)) >= LOST
    profiles = profiles_of(
        [w for w, has_images in zip(wells, imaged, strict=True) if has_images], np.array(truth)[imaged], rng
    )
    record = TrainingRecord(data="none", licence="none", kimg=0, seed=0, command="none", version="0")
    card = ModelCard(
        name="drawn",
        channels=(Channel(name="c1", low=0, high=255),),
        size=64,
        downscale=1,
        tap="fc",
        parameters=0,
        training=record,
    )
    return ScreenInput(
        name="size",
        profiles=profiles,
        wells=wells,
        parked=(),
        parameters=AnalysisParameters(),
        card=card,
        model_id="0" * 64,
        limits={},
    )


def profiles_of(wells: list[Well], truth: NDArray[np.float64], rng: np.random.Generator) -> Profiles:
    """Return the vectors of four sites per well: efficacy along one direction, shifts of plate and well, and noise."""
    plates = {w.plate: i for i, w in enumerate(wells)}
    shifts = {plate: rng.normal(size=FEATURES, scale=0.3).astype(np.float32) for plate in plates}
    mixing = (np.eye(FEATURES) + rng.normal(size=(FEATURES, FEATURES)) / np.sqrt(FEATURES)).astype(np.float32)
    direction = rng.normal(size=FEATURES).astype(np.float32)
    vectors = np.empty((len(wells) * SITES, FEATURES), np.float32)
    for i in range(0, len(wells), 1000):
        part = slice(i, min(i + 1000, len(wells)))
        centre = truth[part, None].astype(np.float32) * direction * np.float32(0.15)
        centre += np.stack([shifts[w.plate] for w in wells[part]])
        centre += rng.standard_normal(centre.shape, np.float32) * np.float32(0.3) @ mixing
        noise = rng.standard_normal((len(centre) * SITES, FEATURES), np.float32) @ mixing
        vectors[part.start * SITES : part.stop * SITES] = np.repeat(centre, SITES, axis=0) + noise
    n = len(vectors)
    plate, well = (np.repeat(np.array([getattr(w, k) for w in wells], object), SITES) for k in ("plate", "well"))
    sites = np.tile(np.array(["1", "2", "3", "4"], object), len(wells))
    zero = np.zeros(n, np.int32)
    return Profiles(
        plates=plate,
        wells=well,
        sites=sites,
        tiles=zero,
        y=zero,
        x=zero,
        keys=np.full(n, "0" * 64, object),
        vectors=vectors,
    )


def measured(share: float) -> Cost:
    """Analyse one size in this process and return its cost."""
    simulated, spent = screen(share), [0.0]
    for step in (SCORE, CURVES):
        setattr(pipeline, step, clocked(getattr(pipeline, step), spent))
    wall, cpu = time.perf_counter(), time.process_time()
    analysis = pipeline.analyse(simulated).analysis
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Cost(
        vectors=len(simulated.profiles),
        wells=len(simulated.wells),
        curves=len(analysis.curves),
        scored=spent[0],
        wall=wall,
        cpu=cpu,
        memory=memory,
    )


def clocked(step: Callable[..., object], spent: list[float]) -> Callable[..., object]:
    """Return a function that does `step` and adds its seconds to `spent`."""

    def call(*arguments: object, **named: object) -> object:
        start = time.perf_counter()
        result = step(*arguments, **named)
        spent[0] += time.perf_counter() - start
        return result

    return call


def fresh(share: float) -> Cost:
    """Return the cost measured in a process of its own, whose peak memory belongs to this size alone."""
    command = [sys.executable, __file__, "--one", str(share)]
    return Cost(**json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout))


def table(costs: list[Cost]) -> str:
    """Return the costs as a table in Markdown."""
    lines = [
        "| vectors × 512 | wells | curves | efficacies and curves, s | all, s | processor seconds | peak memory, GiB |",
        "|---|---|---|---|---|---|---|",
    ]
    lines += [
        f"| {c.vectors:,} | {c.wells:,} | {c.curves:,} | {c.scored:.0f} | {c.wall:.0f} | {c.cpu:.0f} | {c.memory:.2f} |"
        for c in costs
    ]
    return "\n".join(lines)


def main() -> None:
    """Print the table, and write it into the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--one", type=float, help="one size, as a share of RxRx19a's, in this process; prints JSON")
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(asdict(measured(options.one))))
        return
    text = table([fresh(share) for share in SIZES])
    print(text)
    if options.page:
        write_between(options.page, "size", text)


if __name__ == "__main__":
    main()
