"""Parts that are one table: a CSV file, or the member of a ZIP archive, copied as it is or written as Parquet."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import IO

from gandl_shared.errors import Malformed
from gandl_shared.files.atomic import atomic_file

from gandl.fetch.data_set import RemoteFile
from gandl.fetch.download import download, sha256_of
from gandl.fetch.parts.collection import Choice, Content, PartRecord, Workplace
from gandl.fetch.parts.embeddings import csv_to_parquet, cut_text
from gandl.fetch.parts.remote_zip import open_zip

_MAX_HEADER_BYTES = 1 << 20
_ID = "site_id"

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
            _write_rows(chain([header], stream), file, source, self.member)

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


def _write_rows(lines: Iterable[bytes], file: IO[bytes], source: str, member: str) -> None:
    """Copy a table line by line. Raises Malformed for a row that is cut, and for a `site_id` that stands twice.

    A quoted cell may go over several lines.
    """
    label = member if source == member else f"{member} of {source}"
    reader = csv.reader(_copied(lines, file, label), strict=True)
    try:
        header = [name.strip() for name in next(reader)]
        key = header.index(_ID) if _ID in header else None
        first: dict[str, int] = {}
        for row, cells in enumerate(reader, start=2):
            if cells and len(cells) != len(header):
                raise Malformed(
                    f"row {row} of {label} has {len(cells)} cells, the header {len(header)}; the file may be half a "
                    "download"
                )
            if cells and key is not None and first.setdefault(cells[key], row) != row:
                raise Malformed(
                    f"row {row} of {label} has {_ID} {cells[key]}, as row {first[cells[key]]} has; keep one"
                )
    except csv.Error as error:
        raise Malformed(f"{label} is no whole table: {error} at line {reader.line_num}") from error


def _copied(lines: Iterable[bytes], file: IO[bytes], label: str) -> Iterator[str]:
    line = b""
    for line in lines:
        file.write(line)
        yield line.decode("utf-8-sig", errors="replace")
    if not line.endswith((b"\n", b"\r")):
        raise Malformed(cut_text(label))


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
