"""`gandl fetch`: a published data set, downloaded, checked and laid out."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer
from gandl_shared.errors import BadInput

from gandl.data_folder import VARIABLE, data_folder
from gandl.fetch.catalog import DATA_SETS, data_set
from gandl.fetch.data_set import DataSet, RemoteFile, Verification, megabytes
from gandl.fetch.parts.collection import Choice, Collection, Content
from gandl.fetch.parts.run import CollectionJob, CollectionRecord, fetch_collection
from gandl.fetch.run import RECORD, FetchJob, is_fetched
from gandl.fetch.run import fetch as run
from gandl.terminal.progress import TransferBar

EXPLANATIONS = {
    Verification.PUBLISHER_CHECKSUM: "the SHA-256 of the download is the publisher's",
    Verification.UNVERIFIED: "there is no checksum to compare with; names, sizes and every image were checked",
}
_COLLECTION_EXPLANATION = "there is no checksum to compare with; the form of each table and every image were checked"
_MAX_FILES = 5


def fetch(
    name: Annotated[str, typer.Argument(help=f"Name of the data set: {', '.join(DATA_SETS)}.")],
    to: Annotated[
        Path | None,
        typer.Option(
            help=f"Folder for the data set. If absent: NAME in ${VARIABLE}, else ../shared/data/NAME if it exists, "
            "else data/NAME in the checkout."
        ),
    ] = None,
    source: Annotated[
        Path | None,
        typer.Option("--from", help="Local copy instead of the download: the archive, or a folder of its files."),
    ] = None,
    only: Annotated[
        list[Content] | None, typer.Option(help="Fetch this part only; the option may be given more than once.")
    ] = None,
    cell_type: Annotated[
        list[str] | None,
        typer.Option(help="Of the images, those of this cell type, such as HRCE; may be given repeatedly."),
    ] = None,
    experiment: Annotated[
        list[str] | None,
        typer.Option(help="Of the images, those of this experiment, such as HRCE-1 or Week1; may be given repeatedly."),
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show addresses, sizes and folders, and write nothing.")
    ] = False,
) -> None:
    """Download a published data set, check it and lay it out for `gandl screen`.

    An interrupted download continues with the next call. Tests and benchmarks find the data in the default folder.
    """
    data, target = data_set(name), to or data_folder(name)
    choice = Choice(only=tuple(only or ()), cell_types=tuple(cell_type or ()), experiments=tuple(experiment or ()))
    if isinstance(data, Collection):
        _fetch_collection(CollectionJob(collection=data, target=target, choice=choice, source=source), dry_run=dry_run)
        return
    if choice != Choice():
        raise BadInput(f"{name} is one small archive; leave --only, --cell-type and --experiment out")
    _fetch_whole(FetchJob(data_set=data, target=target, source=source), dry_run=dry_run)


def _fetch_whole(job: FetchJob, *, dry_run: bool) -> None:
    # Repeated calls cost nothing, so scripts may call this before every use of the data.
    if is_fetched(job):
        typer.echo(f"{job.data_set.name} is complete in {job.target} already")
        return
    to = f"{job.target} ({megabytes(job.data_set.laid_out_bytes)})"
    _describe(job.data_set, _origin(job.data_set.archives, job.source), to, job.needed_bytes, job.free_bytes)
    if dry_run:
        return
    with TransferBar() as bar:
        record = run(job, on_step=bar.step, on_bytes=bar.count)
    typer.echo(
        f"{job.data_set.name} is in {job.target}, {record.verification}: {EXPLANATIONS[record.verification]} "
        f"({job.target / RECORD})"
    )


def _fetch_collection(job: CollectionJob, *, dry_run: bool) -> None:
    parts = job.collection.parts_of(job.choice)
    files = [file for part in parts for file in part.remote_files(job.choice)]
    _describe(job.collection, _origin(files, job.source), str(job.target), job.needed_bytes, job.free_bytes)
    if job.choice.is_partial and job.source is None:
        typer.echo("images   only those that were chosen are transferred; their size is told when they are listed")
    if dry_run:
        return
    with TransferBar() as bar:
        record = fetch_collection(job, on_step=bar.step, on_bytes=bar.count)
    typer.echo(_outcome(job, record))


def _outcome(job: CollectionJob, record: CollectionRecord) -> str:
    absent = f"; not in {job.source}: {', '.join(record.absent)}" if record.absent else ""
    if not record.files:
        return f"{job.collection.name}: the chosen parts are in {job.target} already{absent}"
    count = sum(file.files for file in record.files)
    files = "1 file is new" if count == 1 else f"{count:,} files are new"
    return (
        f"{job.collection.name} is in {job.target} ({files}), {record.verification}: {_COLLECTION_EXPLANATION} "
        f"({job.target / RECORD}){absent}"
    )


def _origin(files: list[RemoteFile] | tuple[RemoteFile, ...], source: Path | None) -> Iterator[str]:
    if source is not None:
        yield f"from     {source}"
        return
    for file in files[:_MAX_FILES]:
        yield f"from     {file.url} ({file.size_text})"
    if len(files) > _MAX_FILES:
        rest = files[_MAX_FILES:]
        yield f"         and {len(rest)} more, the last {rest[-1].url}"


def _describe(data: DataSet | Collection, origin: Iterator[str], to: str, space: int, free: int) -> None:
    """Print title, licence, sizes and folders, one fact per line."""
    need = megabytes(space) if space else "an unknown size"
    lines = [
        data.title,
        f"page     {data.page}",
        f"licence  {data.licence}",
        f"cite     {data.citation}",
        *origin,
        f"to       {to}",
        f"space    {need} needed, {megabytes(free)} free",
    ]
    typer.echo("\n".join(lines))
