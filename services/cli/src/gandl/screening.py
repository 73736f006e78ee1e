"""A screen in one process: the worker's own functions on a SQLite file, with the ONNX session of this process."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from gandl_analysis.formats.output_folder import write_files
from gandl_analysis.pipeline.analyse import ScreenInput, analyse
from gandl_analysis.pipeline.axes.stored_axes import EarlierAxes, limits_text, preparation
from gandl_analysis.pipeline.checks import check_axes, check_controls
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.db import Database
from gandl_shared.errors import BadInput, Unavailable
from gandl_shared.jobs import plan_screen, submit
from gandl_shared.models import Embedder
from gandl_shared.plates import read_plate_map
from gandl_shared.schemas.screen import Progress, ScreenRequest
from gandl_shared.store import Store
from gandl_worker.screens import run_screen

WORK_FOLDER = ".gandl-work"
"""Database and vectors of a screen while it runs, inside its output folder; removed when the files are written."""

OnProgress = Callable[[Progress], None]
OnStep = Callable[[str], None]


@dataclass(frozen=True)
class ScreenJob:
    """What to screen, where the files go, and efficacy axes of an earlier screen to score by."""

    request: ScreenRequest
    images: Path
    plate_map: Path
    out: Path
    earlier: EarlierAxes | None = None


def run(job: ScreenJob, embedder: Embedder, *, on_progress: OnProgress, on_step: OnStep) -> ScreenAnalysis:
    """Check everything, embed, analyse, write the files of design to `job.out`.

    Nothing is written before all input has been checked. Raises BadInput and its kin; NotEnoughData from the analysis.
    """
    if job.out.exists() and not job.out.is_dir():
        raise BadInput(f"{job.out} is a file; give a folder to write to")
    plate_map = read_plate_map(job.plate_map, controls=job.earlier is None)
    parameters, limits = job.request.analysis, limits_text(job.request.limits)
    vectors = preparation(embedder.card, embedder.model_id, limits, parameters)
    if job.earlier is None:
        check_controls(plate_map.used)
    check_axes(parameters, plate_map.used, vectors, job.earlier, field="axis")  # not after hours of embedding
    on_step("checking images")
    plan = plan_screen(
        job.request,
        images=job.images,
        plate_map=plate_map,
        card=embedder.card,
        model_id=embedder.model_id,
        max_headers=None,
    )
    work = job.out / WORK_FOLDER
    shutil.rmtree(work, ignore_errors=True)
    made = not job.out.exists()
    work.mkdir(parents=True)
    try:
        with closing(Database.connect(f"sqlite:///{work.resolve() / 'gandl.sqlite'}")) as database:
            store = Store(work / "store")
            screen_id = submit(database, plan)
            on_step("embedding")
            status = run_screen(database, store, embedder, screen_id, on_progress=on_progress)
            if status.error:
                raise Unavailable(status.error)
            on_step("analysing")
            profiles = store.profiles(screen_id)
            record = database.screens.get(screen_id)
            analysed = analyse(
                ScreenInput(
                    name=record.name,
                    profiles=profiles,
                    wells=database.screens.wells(screen_id),
                    parked=status.parked,
                    parameters=parameters,
                    card=embedder.card,
                    model_id=embedder.model_id,
                    limits=record.limits,
                    limits_from=limits,
                    earlier=job.earlier,
                )
            )
        on_step("writing")
        write_files(analysed, profiles, job.out)
    except BaseException:
        shutil.rmtree(job.out if made else work, ignore_errors=True)
        raise
    shutil.rmtree(work)
    return analysed.analysis
