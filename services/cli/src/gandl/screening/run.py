"""A screen in one process: the worker's own functions on a SQLite file, with the ONNX session of this process."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from gandl_analysis.formats.output_folder import FILES, write_files
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.axes.checks import check_axes, check_controls
from gandl_analysis.pipeline.curves.choices import check_curves
from gandl_analysis.pipeline.inputs import EarlierAxes, Preparation, ScreenInput, limits_text
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.db import Database
from gandl_shared.errors import BadInput, Unavailable
from gandl_shared.files.objects import is_object
from gandl_shared.jobs import plan_screen, submit
from gandl_shared.models import Embedder
from gandl_shared.plates import PlateMap, part_with_images, read_plate_map
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.choice import ImageChoice
from gandl_shared.schemas.screen import Progress, ScreenRequest, notes_of
from gandl_shared.store import ImageFolder, SiteFiles, Store, is_text
from gandl_worker.screens import run_screen

from gandl.screening.image_options import LimitSource

WORK_FOLDER = ".gandl-work"
"""Database and vectors of a screen while it runs, inside its output folder; removed when the files are written."""

OnProgress = Callable[[Progress], None]
OnStep = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ScreenJob:
    """What to screen and how, where the files go, and efficacy axes of an earlier screen to score by.

    `images` is a folder, `plate_map` a CSV file or a workbook, of which `sheet` is read (None: the first one).
    `positive` names the positive control of a published data set that leaves the choice. `pattern`, `channels` and
    `choice` select image files as in a ScreenRequest.
    """

    images: Path
    plate_map: Path
    out: Path
    name: str | None = None
    pattern: str | None = None
    channels: tuple[str, ...] | None = None
    choice: ImageChoice = field(default_factory=ImageChoice)
    sheet: str | None = None
    positive: tuple[str, ...] = ()
    limits: LimitSource = "plate"
    allow_clipping: bool = False
    parameters: AnalysisParameters = field(default_factory=AnalysisParameters)
    earlier: EarlierAxes | None = None

    @property
    def request(self) -> ScreenRequest:
        """The same screen as a request to a service, which is how the plan of a screen is made on every path."""
        return ScreenRequest(
            name=self.name,
            images=str(self.images),
            plate_map=str(self.plate_map),
            pattern=self.pattern,
            channels=self.channels,
            **self.choice.model_dump(),
            plate_map_sheet=self.sheet,
            positive_control=self.positive,
            limits=self.limits,
            allow_clipping=self.allow_clipping,
            analysis=self.parameters,
        )


def run(
    job: ScreenJob,
    embedder: Embedder,
    *,
    on_progress: OnProgress = lambda _: None,
    on_step: OnStep = lambda _: None,
) -> ScreenAnalysis:
    """Check everything, embed, analyse, and write the files of a screen to `job.out`.

    Nothing is written before all input has been checked. Raises BadInput and its kin; NotEnoughData from the analysis.
    """
    check_output_folder(job.out, job.plate_map)
    plate_map = _checked_plate_map(job, embedder)
    on_step("checking images")
    plan = plan_screen(
        job.request,
        images=job.images,
        plate_map=plate_map,
        card=embedder.card,
        model_id=embedder.model_id,
        max_headers=None,
    )
    with _work_folder(job.out) as work, closing(Database.connect(f"sqlite:///{work / 'gandl.sqlite'}")) as database:
        store = Store(work / "store")
        # Everything below runs on the same functions as a worker of the services, so that results are equal.
        screen_id = submit(database, plan)
        screen = _embedded(job, screen_id, embedder, database, store, on_progress=on_progress, on_step=on_step)
        on_step("analysing")
        analysed = analyse(screen)
        on_step("writing")
        images = _image_folder(job, screen_id, database)
        write_files(
            analysed, screen.profiles, job.out, thumbnails=lambda: store.all_thumbnails(screen_id), images=images
        )
    return analysed.analysis


def _image_folder(job: ScreenJob, screen_id: str, database: Database) -> ImageFolder | None:
    """Return where the images of the embedded sites are, relative to the results; None where no path can say so."""
    folder = os.path.relpath(job.images.resolve(), job.out.resolve())
    # No path leads from a folder to an object store.
    if is_object(job.images) or not is_text(folder):
        return None
    plates = dict.fromkeys(well.plate for well in database.screens.wells(screen_id))
    records = [record for plate in plates for record in database.screens.sites(screen_id, plate)]
    return ImageFolder(
        folder=folder,
        sites=tuple(
            SiteFiles(site=record.site.id, names=record.site.names, planes=record.site.planes)
            for record in records
            if record.key is not None and all(map(is_text, record.site.names))
        ),
    )


def check_output_folder(out: Path, *inputs: Path | None) -> None:
    """Raise BadInput if the output folder is a file, or if its new files would replace one of the `inputs`."""
    if out.exists() and not out.is_dir():
        raise BadInput(f"{out} is a file; give a folder to write to")
    for path in inputs:
        if path is not None and path.is_file() and path.name in FILES and path.resolve().parent == out.resolve():
            raise BadInput(f"{path} would be replaced by the results in {out}; give another folder with --out")


def _checked_plate_map(job: ScreenJob, embedder: Embedder) -> PlateMap:
    """Return the plate map. Raises BadInput if the controls, the axes or the curves of the analysis cannot be had.

    They are checked now, because embedding takes hours on a large screen.
    """
    plate_map = read_plate_map(job.plate_map, controls=job.earlier is None, sheet=job.sheet, positive=job.positive)
    plate_map = part_with_images(job.images, plate_map, job.pattern)
    preparation = Preparation(
        model_id=embedder.model_id,
        card=embedder.card,
        limits=limits_text(job.limits),
        normalisation=job.parameters.normalisation,
    )
    if job.earlier is None:
        check_controls(plate_map.used)
    check_axes(job.parameters, plate_map.used, preparation, job.earlier, field="axis")
    check_curves(job.parameters, plate_map.used)
    return plate_map


@contextmanager
def _work_folder(out: Path) -> Iterator[Path]:
    """Yield an empty folder inside `out` that is removed at the end; after an error a new `out` is removed too."""
    work = out / WORK_FOLDER
    shutil.rmtree(work, ignore_errors=True)
    is_new = not out.exists()
    work.mkdir(parents=True)
    try:
        yield work.resolve()
    except BaseException:
        shutil.rmtree(out if is_new else work, ignore_errors=True)
        raise
    shutil.rmtree(work)


def _embedded(
    job: ScreenJob,
    screen_id: str,
    embedder: Embedder,
    database: Database,
    store: Store,
    *,
    on_progress: OnProgress,
    on_step: OnStep,
) -> ScreenInput:
    """Embed all sites of a screen and return the input of the analysis. Raises Unavailable if the embedding failed."""
    on_step("embedding")
    status = run_screen(
        database,
        store,
        embedder,
        screen_id,
        on_progress=on_progress,
        on_wait=lambda reason: on_step(f"waiting: {reason}" if reason else "embedding"),
    )
    if status.error:
        raise Unavailable(status.error)
    record = database.screens.get(screen_id)
    return ScreenInput(
        name=record.name,
        profiles=store.profiles(screen_id),
        wells=database.screens.wells(screen_id),
        parked=status.parked,
        parameters=job.parameters,
        card=embedder.card,
        model_id=embedder.model_id,
        limits=record.limits,
        limits_from=limits_text(job.limits),
        image_layout=record.layout,
        intensities=record.intensities,
        earlier=job.earlier,
        notes=(*record.notes, *notes_of(status)),
    )
