"""The fields of a data set in Recursion's form, and the files that hold them: PNG images, metadata and vectors."""

from __future__ import annotations

import csv
import multiprocessing
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from gandl_shared.errors import Conflict, GandlError
from gandl_shared.files.atomic import atomic_folder
from PIL import Image

from gandl.simulate.microscope.camera import Image as Counts

Progress = Callable[[int, int], None]

METADATA, EMBEDDINGS, NOTICE = "metadata.csv", "embeddings.csv", "SIMULATED.txt"
_NOTICE = (
    "These images, vectors and tables are simulated by gandl. They have the form of {title} and none of its content.\n"
    "embeddings.csv is drawn from the truth of each well, and not computed from its image by any network.\n"
    "truth.csv holds what an analysis should recover.\n"
)
_WELLS_PER_TASK = 4


@dataclass(frozen=True, kw_only=True)
class PublishedSite:
    """A field of view by the columns of the publisher; `plate` is the number of a plate of the experiment."""

    experiment: str
    plate: int
    well: str
    site: int

    @property
    def site_id(self) -> str:
        """The name of the field, such as `HRCE-1_1_AA02_2`."""
        return f"{self.well_id}_{self.site}"

    @property
    def well_id(self) -> str:
        """The name of the well, such as `HRCE-1_1_AA02`."""
        return f"{self.experiment}_{self.plate}_{self.well}"

    def file(self, channel: int) -> str:
        """The path of the image of a channel, which is counted from 1."""
        return f"{self.experiment}/Plate{self.plate}/{self.well}_s{self.site}_w{channel}.png"


@dataclass(frozen=True, kw_only=True)
class DrawnSite:
    """A field as it was drawn: its image [C, H, W] and its vector [F]."""

    site: PublishedSite
    image: Counts
    vector: np.ndarray[tuple[int], np.dtype[np.float32]]


class WellOfSites(Protocol):
    """A well whose fields can be drawn in any process."""

    def draw(self) -> Iterator[DrawnSite]:
        """Yield the fields of the well."""

    def rows(self) -> Iterator[Sequence[str]]:
        """Yield a row of the metadata for each field."""


@dataclass(frozen=True, kw_only=True)
class PublishedForm:
    """What is written: the title of the data set, the columns of its metadata, and its table of truth."""

    title: str
    columns: Sequence[str]
    truth: Callable[[Path], None]
    features: int


def write_published(
    out: Path, form: PublishedForm, wells: Sequence[WellOfSites], *, processes: int, on_progress: Progress
) -> int:
    """Write the data set to the new folder `out`, complete or not at all, and return the number of its fields.

    Raises Conflict if `out` exists and is not an empty folder, and GandlError if it cannot be written.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise Conflict(f"{out} exists and is not an empty folder; name a new one or remove it")
    try:
        out.resolve().parent.mkdir(parents=True, exist_ok=True)
        with atomic_folder(out) as folder:
            (folder / NOTICE).write_text(_NOTICE.format(title=form.title), encoding="utf-8")
            _write_csv(folder / METADATA, form.columns, (row for well in wells for row in well.rows()))
            form.truth(folder / "truth.csv")
            return _write_sites(folder, form, wells, processes, on_progress)
    except (OSError, BrokenProcessPool) as error:
        raise GandlError(f"{out} was not simulated: {error}") from error


@dataclass(frozen=True)
class _Task:
    images: Path
    well: WellOfSites


def _write_sites(
    folder: Path, form: PublishedForm, wells: Sequence[WellOfSites], processes: int, on_progress: Progress
) -> int:
    tasks = [_Task(folder / "images", well) for well in wells]
    count = 0
    with (folder / EMBEDDINGS).open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["site_id", *(f"feature_{i}" for i in range(form.features))])
        for done, rows in enumerate(_rows_of_wells(tasks, processes), start=1):
            writer.writerows(rows)
            count += len(rows)
            on_progress(done, len(tasks))
    return count


def _rows_of_wells(tasks: Sequence[_Task], processes: int) -> Iterator[list[list[str]]]:
    """Yield the rows of vectors of each well in order, after its images were written."""
    if processes == 1:
        yield from map(_write_well, tasks)
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, max(len(tasks), 1)), mp_context=context) as pool:
        try:
            yield from pool.map(_write_well, tasks, chunksize=_WELLS_PER_TASK)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _write_well(task: _Task) -> list[list[str]]:
    rows = []
    for field in task.well.draw():
        for channel, page in enumerate(field.image, start=1):
            path = task.images / field.site.file(channel)
            path.parent.mkdir(parents=True, exist_ok=True)
            # Noise hardly compresses, so that a higher level would only cost time.
            Image.fromarray(np.asarray(page, np.uint8)).save(path, compress_level=1)
        rows.append([field.site.site_id, *(f"{value:.5g}" for value in field.vector.tolist())])
    return rows


def _write_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows(rows)
