"""Parts that are one table: a CSV file, or the member of a ZIP archive, copied as it is or written as Parquet."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from gandl_shared.errors import Malformed
from gandl_shared.files.atomic import atomic_file

from gandl.fetch.data_set import RemoteFile
from gandl.fetch.download import download, sha256_of
from gandl.fetch.parts.collection import Choice, Content, PartRecord, Workplace
from gandl.fetch.parts.embeddings import csv_to_parquet
from gandl.fetch.parts.remote_zip import open_zip

_MAX_HEADER_BYTES = 1 << 20

HasHeader = Callable[[Sequence[str]], bool]
"""Whether the names of columns are those of a table."""


@dataclass(frozen=True, kw_only=True)
class TablePart:
    """A table of a data set. `member` is its name in the archive and in the target; `has_header` recognises it."""

    file: RemoteFile
    member: str
    has_header: HasHeader
    content: Content = Content.METADATA

    @property
    def name(self) -> str:
        """The name of the file in the target."""
        return self.member

    def remote_files(self, choice: Choice) -> Sequence[RemoteFile]:
        """Return the one file."""
        return (self.file,)

    def space(self, choice: Choice) -> int:
        """Return the size of the file and of the table in it."""
        return 2 * self.file.expected_bytes

    def is_local(self, workplace: Workplace) -> bool:
        """Return whether the local copy has the table or its archive."""
        return workplace.local(self.member, self.file.name) is not None

    def is_complete(self, workplace: Workplace) -> bool:
        """Return whether the target has the table."""
        return (workplace.target / self.name).is_file()

    def fetch(self, workplace: Workplace) -> list[PartRecord]:
        """Fetch the table. Raises Malformed for a file that is not the table."""
        source = workplace.local(self.member, self.file.name) or self._download(workplace)
        workplace.target.mkdir(parents=True, exist_ok=True)
        workplace.on_step(f"writing {self.name}")
        with _table(source, self.member) as stream:
            self.write(stream, workplace, source.name)
        digest = sha256_of(source)
        record = PartRecord(name=source.name, size=source.stat().st_size, sha256=digest, files=1)
        if workplace.source is None:
            source.unlink()
        return [record]

    def write(self, stream: IO[bytes], workplace: Workplace, source: str) -> None:
        """Write the table to the target."""
        header = stream.readline(_MAX_HEADER_BYTES)
        names = [name.strip().strip('"') for name in header.decode("utf-8-sig", errors="replace").strip().split(",")]
        if not self.has_header(names):
            kind = (
                "an HTML page" if header.lstrip()[:1] == b"<" else f"a table with the columns {', '.join(names[:12])}"
            )
            raise Malformed(f"{source} is {kind[:240]}, and not the {self.member} of this data set")
        with atomic_file(workplace.target / self.name) as file:
            file.write(header)
            shutil.copyfileobj(stream, file, 1 << 20)

    def _download(self, workplace: Workplace) -> Path:
        workplace.on_step(f"downloading {self.file.name}")
        return download(self.file, workplace.work, workplace.on_bytes)


@dataclass(frozen=True, kw_only=True)
class EmbeddingsPart(TablePart):
    """The vectors that the publisher made of each site, written as `embeddings.parquet`.

    `data_set` names the one whose experiments they are of, where another one has tables of the same form.
    """

    content: Content = Content.EMBEDDINGS
    data_set: str | None = None

    @property
    def name(self) -> str:
        """The name of the file in the target."""
        return f"{Path(self.member).stem}.parquet"

    def write(self, stream: IO[bytes], workplace: Workplace, source: str) -> None:
        """Write the table to the target as Parquet."""
        csv_to_parquet(
            stream,
            workplace.target / self.name,
            source=self.member,
            data_set=self.data_set,
            on_rows=lambda rows: workplace.on_step(f"{rows:,} rows"),
        )


@contextmanager
def _table(source: Path, member: str) -> Iterator[IO[bytes]]:
    """Open a table: a CSV file, or the member of an archive by its name in any folder. Raises Malformed without one."""
    with source.open("rb") as file:
        is_zip = file.read(4).startswith(b"PK")
    if not is_zip:
        if source.suffix == ".zip":
            raise Malformed(f"{source.name} is not a ZIP archive; it may be half a download or an HTML page")
        with source.open("rb") as stream:
            yield stream
        return
    with open_zip(source) as archive:
        name = next((n for n in archive.namelist() if n == member or n.endswith(f"/{member}")), None)
        if name is None:
            raise Malformed(f"{source.name} holds no {member}; it has {', '.join(archive.namelist()[:3])}")
        with archive.open(name) as stream:
            yield stream
