"""Fetch a data set from its publisher or a local copy into a folder that appears when it is checked and complete."""

from __future__ import annotations

import fcntl
import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from gandl_shared.errors import BadInput, Conflict, NotFound
from gandl_shared.files.atomic import atomic_folder

from gandl.fetch.data_set import DataSet, Verification, free_bytes_at, megabytes
from gandl.fetch.download import OnBytes, download, remaining_bytes, sha256_of
from gandl.fetch.unpack import ArchiveLimits, unpack

RECORD = "fetched.json"
"""The file beside the data that says where they come from and how far they were verified."""

_MAX_FILES = 10_000
_SIZE_MARGIN = 1.5
"""An archive may unpack to so many times its expected size, because the file system and other formats differ."""

OnStep = Callable[[str], None]


@dataclass(frozen=True, kw_only=True)
class ArchiveRecord:
    """An archive that the data came from."""

    name: str
    size: int
    sha256: str


@dataclass(frozen=True, kw_only=True)
class FetchRecord:
    """The origin of a data set: `source` is the publisher's page or the name of the local copy."""

    data_set: str
    title: str
    licence: str
    citation: str
    source: str
    archives: tuple[ArchiveRecord, ...]
    verification: Verification
    gandl: str


@dataclass(frozen=True, kw_only=True)
class FetchJob:
    """What to fetch and where to. `source` is a local folder or archive; None stands for the publisher."""

    data_set: DataSet
    target: Path
    source: Path | None = None

    @property
    def work_folder(self) -> Path:
        """The folder beside the target for the download and the unpacked files; an interrupted download stays there."""
        return self.target.parent / f".{self.data_set.name}-download"

    @property
    def needed_bytes(self) -> int:
        """The space that the job needs on the disk of its target."""
        data_set = self.data_set
        if self.source is None:
            missing = sum(remaining_bytes(archive, self.work_folder) for archive in data_set.archives)
            return missing + data_set.unpacked_bytes + data_set.laid_out_bytes
        return data_set.laid_out_bytes + (0 if self.source.is_dir() else data_set.unpacked_bytes)

    @property
    def free_bytes(self) -> int:
        """The free space on the disk of the target."""
        return free_bytes_at(self.target)


def is_fetched(job: FetchJob) -> bool:
    """Return True if the target has the data set already. Raises Conflict if it has something else."""
    if not job.target.exists() or (job.target.is_dir() and not any(job.target.iterdir())):
        return False
    try:
        job.data_set.check(job.target)
    except BadInput as error:
        raise Conflict(f"{error.detail}; remove it, or give another folder by --to") from error
    return True


def fetch(job: FetchJob, *, on_step: OnStep, on_bytes: OnBytes) -> FetchRecord:
    """Fetch a data set into its target, which appears when it is complete, and return where it came from.

    Raises Conflict if the target has something else or another fetch is running, NotFound for a source that does not
    exist, BadInput where the disk is too small or cannot be written, and the errors of the download, the archive and
    the layout. An interrupted download stays in the work folder and continues with the next call.
    """
    if is_fetched(job):
        raise Conflict(f"{job.target} has {job.data_set.name} already")
    if job.source is not None and not job.source.exists():
        raise NotFound(f"{job.source} is not there; give the folder or the archive of {job.data_set.name}")
    # A full disk would be found only after the download otherwise.
    if job.free_bytes < job.needed_bytes:
        raise BadInput(
            f"{job.data_set.name} needs {megabytes(job.needed_bytes)} at {job.target.parent}, where only "
            f"{megabytes(job.free_bytes)} are free; remove something, or give another folder by --to"
        )
    try:
        with _work_folder(job) as work:
            return _lay_out(job, work, on_step, on_bytes)
    except OSError as error:
        detail = f"{job.data_set.name} cannot be fetched to {job.target}: {error.strerror or error}"
        raise BadInput(f"{detail}; give another folder by --to") from error


def _lay_out(job: FetchJob, work: Path, on_step: OnStep, on_bytes: OnBytes) -> FetchRecord:
    on_step("downloading" if job.source is None else "reading")
    archives = _archives(job, work, on_bytes)
    folder = job.source if job.source is not None and job.source.is_dir() else _unpacked(job, archives, work, on_step)
    record = _record(job, archives)
    on_step("checking images")
    with atomic_folder(job.target) as target:
        job.data_set.lay_out(folder, target)
        # The record is inside the folder, so that data and record appear and move together.
        text = json.dumps(asdict(record), indent=2, ensure_ascii=False)
        (target / RECORD).write_text(text + "\n", encoding="utf-8")
    return record


def _archives(job: FetchJob, work: Path, on_bytes: OnBytes) -> list[Path]:
    """Return the archives of the data set; a source that is a folder has none."""
    if job.source is None:
        return [download(archive, work, on_bytes) for archive in job.data_set.archives]
    return [] if job.source.is_dir() else [job.source]


def _unpacked(job: FetchJob, archives: list[Path], work: Path, on_step: OnStep) -> Path:
    on_step("unpacking")
    folder = work / "unpacked"
    limits = ArchiveLimits(max_files=_MAX_FILES, max_bytes=int(_SIZE_MARGIN * job.data_set.unpacked_bytes))
    for i, archive in enumerate(archives):
        part = folder / str(i)
        part.mkdir(parents=True)
        unpack(archive, part, limits)
    return folder


def _record(job: FetchJob, archives: list[Path]) -> FetchRecord:
    """Return the record of a fetch. Only a download can be verified, since checksums are those of published files."""
    data_set = job.data_set
    has_checksums = job.source is None and all(archive.sha256 for archive in data_set.archives)
    return FetchRecord(
        data_set=data_set.name,
        title=data_set.title,
        licence=data_set.licence,
        citation=data_set.citation,
        source=data_set.page if job.source is None else job.source.name,
        archives=tuple(ArchiveRecord(name=a.name, size=a.stat().st_size, sha256=sha256_of(a)) for a in archives),
        verification=Verification.PUBLISHER_CHECKSUM if has_checksums else Verification.UNVERIFIED,
        gandl=version("gandl"),
    )


@contextmanager
def _work_folder(job: FetchJob) -> Iterator[Path]:
    """Yield the work folder of a job, locked. At the end only an interrupted download stays in it."""
    folder = job.work_folder
    is_new_parent = not folder.parent.exists()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"another gandl fetch writes to {job.target}; wait for its end") from error
        try:
            yield folder
        finally:
            _clean(job, folder)
            if is_new_parent and not any(folder.parent.iterdir()):
                folder.parent.rmdir()


def _clean(job: FetchJob, folder: Path) -> None:
    """Remove all but the parts that can be continued; a part without its validator file cannot."""
    # A part can be continued only with the file that identifies its version.
    parts: set[Path] = set()
    for archive in job.data_set.archives:
        part = folder / f"{archive.name}.part"
        validator = part.with_name(f"{part.name}.json")
        if part.is_file() and validator.is_file():
            parts |= {part, validator}
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        elif path not in parts:
            path.unlink()
    if not any(folder.iterdir()):
        folder.rmdir()
