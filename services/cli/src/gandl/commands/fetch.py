"""`gandl fetch`: a published data set, downloaded, checked and laid out."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from gandl.data_folder import VARIABLE, data_folder
from gandl.fetch.catalog import DATA_SETS, data_set
from gandl.fetch.data_set import Verification
from gandl.fetch.run import RECORD, FetchJob, is_fetched, megabytes
from gandl.fetch.run import fetch as run
from gandl.terminal.progress import TransferBar

EXPLANATIONS = {
    Verification.PUBLISHER_CHECKSUM: "the SHA-256 of the download is the publisher's",
    Verification.UNVERIFIED: "there is no checksum to compare with; names, sizes and every image were checked",
}


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
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show addresses, sizes and folders, and write nothing.")
    ] = False,
) -> None:
    """Download a published data set, check it and lay it out for `gandl screen`.

    An interrupted download continues with the next call. Tests and benchmarks find the data in the default folder.
    """
    job = FetchJob(data_set=data_set(name), target=to or data_folder(name), source=source)
    # Repeated calls cost nothing, so scripts may call this before every use of the data.
    if is_fetched(job):
        typer.echo(f"{job.data_set.name} is complete in {job.target} already")
        return
    typer.echo(_description(job))
    if dry_run:
        return
    with TransferBar() as bar:
        record = run(job, on_step=bar.step, on_bytes=bar.count)
    typer.echo(
        f"{job.data_set.name} is in {job.target}, {record.verification}: {EXPLANATIONS[record.verification]} "
        f"({job.target / RECORD})"
    )


def _description(job: FetchJob) -> str:
    """Return title, licence, sizes and folders of a job, one fact per line."""
    data = job.data_set
    if job.source is None:
        origin = [f"from     {archive.url} ({megabytes(archive.size)})" for archive in data.archives]
    else:
        origin = [f"from     {job.source}"]
    lines = [
        data.title,
        f"page     {data.page}",
        f"licence  {data.licence}",
        f"cite     {data.citation}",
        *origin,
        f"to       {job.target} ({megabytes(data.laid_out_bytes)})",
        f"space    {megabytes(job.needed_bytes)} needed, {megabytes(job.free_bytes)} free",
    ]
    return "\n".join(lines)
