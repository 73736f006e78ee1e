"""Fetch the chosen parts of a collection; `fetched.json` in the target tells where they came from."""

from __future__ import annotations

import fcntl
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from gandl_shared.errors import BadInput, Conflict, NotFound
from gandl_shared.files.atomic import atomic_file

from gandl.fetch.data_set import Verification, free_bytes_at, megabytes
from gandl.fetch.download import OnBytes
from gandl.fetch.parts.collection import Choice, Collection, Part, PartRecord, Workplace
from gandl.fetch.run import RECORD


@dataclass(frozen=True, kw_only=True)
class CollectionJob:
    """What to fetch and where to. `source` is a local folder or file; None stands for the publisher."""

    collection: Collection
    target: Path
    choice: Choice
    source: Path | None = None

    @property
    def work_folder(self) -> Path:
        """The folder beside the target in which an interrupted download stays."""
        return self.target.parent / f".{self.collection.name}-download"

    @property
    def needed_bytes(self) -> int:
        """The space that the job needs, as far as it is known before a byte is transferred."""
        return 0 if self.source else sum(part.space(self.choice) for part in self.collection.parts_of(self.choice))

    @property
    def free_bytes(self) -> int:
        """The free space on the disk of the target."""
        return free_bytes_at(self.target)


@dataclass(frozen=True, kw_only=True)
class CollectionRecord:
    """What was fetched in one call: the files it came from, and the parts that the local copy does not have."""

    files: tuple[PartRecord, ...]
    complete: int
    absent: tuple[str, ...]
    verification: Verification = Verification.UNVERIFIED


def fetch_collection(job: CollectionJob, *, on_step: Callable[[str], None], on_bytes: OnBytes) -> CollectionRecord:
    """Fetch the chosen parts that are not in the target yet.

    Each part appears when it is complete; one that was interrupted goes on with the next call. Raises Conflict if
    another fetch is running, NotFound for a source without any chosen part, BadInput where the disk is too small, and
    the errors of the download and of the checks.
    """
    if job.source is not None and not job.source.exists():
        raise NotFound(f"{job.source} is not there; give the folder or a file of {job.collection.name}")
    parts = job.collection.parts_of(job.choice)
    if job.target.exists() and not job.target.is_dir():
        raise Conflict(f"{job.target} is a file; give another folder by --to")
    _check_space(job)
    try:
        with _work_folder(job) as work:
            workplace = Workplace(
                target=job.target,
                work=work,
                source=job.source,
                choice=job.choice,
                on_step=on_step,
                on_bytes=on_bytes,
            )
            return _fetch(job, parts, workplace)
    except OSError as error:
        detail = f"{job.collection.name} cannot be fetched to {job.target}: {error.strerror or error}"
        raise BadInput(f"{detail}; give another folder by --to") from error


def _fetch(job: CollectionJob, parts: tuple[Part, ...], workplace: Workplace) -> CollectionRecord:
    open_parts = [part for part in parts if not part.is_complete(workplace)]
    present = [part for part in open_parts if job.source is None or part.is_local(workplace)]
    if open_parts and not present:
        names = ", ".join(file.name for part in open_parts[:3] for file in part.remote_files(job.choice)[:1])
        raise NotFound(f"{job.source} holds no part of {job.collection.name}; it should hold {names} or their content")
    records: list[PartRecord] = []
    for part in present:
        # What is complete is recorded at once, so that an error in a later part loses nothing.
        done = part.fetch(workplace)
        records += done
        _record(job, done)
    absent = tuple(str(part.content) for part in open_parts if part not in present)
    return CollectionRecord(files=tuple(records), complete=len(parts) - len(open_parts), absent=absent)


def _record(job: CollectionJob, records: list[PartRecord]) -> None:
    """Write the record of the data set with these files in place of earlier ones of the same name."""
    path = job.target / RECORD
    earlier = json.loads(path.read_text(encoding="utf-8")).get("files", []) if path.is_file() else []
    names = {record.name for record in records}
    files = [file for file in earlier if file["name"] not in names] + [asdict(record) for record in records]
    data = job.collection
    content = {
        "data_set": data.name,
        "title": data.title,
        "licence": data.licence,
        "citation": data.citation,
        "source": data.page if job.source is None else job.source.name,
        "files": files,
        "verification": Verification.UNVERIFIED,
        "gandl": version("gandl"),
    }
    job.target.mkdir(parents=True, exist_ok=True)
    with atomic_file(path) as file:
        file.write((json.dumps(content, indent=2, ensure_ascii=False) + "\n").encode())


def _check_space(job: CollectionJob) -> None:
    if job.free_bytes < job.needed_bytes:
        raise BadInput(
            f"{job.collection.name} needs about {megabytes(job.needed_bytes)} at {job.target.parent}, where only "
            f"{megabytes(job.free_bytes)} are free; choose parts with --only, --experiment or --cell-type, or give "
            "another folder by --to"
        )


@contextmanager
def _work_folder(job: CollectionJob) -> Iterator[Path]:
    """Yield the work folder, locked. What is complete in it is removed at the end, and parts of a download stay."""
    folder = job.work_folder
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise Conflict(f"another gandl fetch writes to {job.target}; wait for its end") from error
        try:
            yield folder
        finally:
            (folder / "lock").unlink()
            _remove_empty(folder)


def _remove_empty(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    if not any(folder.iterdir()):
        folder.rmdir()
