"""A published table of vectors, CSV to Parquet, in blocks: the memory does not grow with the number of rows.

The columns keep their names: `site_id`, and then one column of 32-bit numbers for each number of the vector.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from gandl_shared.errors import Malformed
from gandl_shared.files.atomic import atomic_file
from gandl_shared.plates.map_table.published.recursion import data_set_of

ID = "site_id"
BLOCK_BYTES = 4 << 20
"""The CSV text is read in blocks of so many bytes, several of them ahead; one holds 700 vectors of 1,024 numbers."""
GROUP_ROWS = 4096
"""Rows of one row group of the Parquet file, 16 MB of vectors of 1,024 numbers."""
_MAX_HEADER_BYTES = 1 << 20
_MAX_LISTED = 3
_POSITION = re.compile(r"(?:In CSV column #(?P<column>\d+): |CSV parse error: )Row #(?P<row>\d+): ")

OnRows = Callable[[int], None]


def csv_to_parquet(
    stream: IO[bytes],
    path: Path,
    *,
    source: str,
    data_set: str | None = None,
    on_rows: OnRows = lambda _rows: None,
) -> int:
    """Write a table of vectors as Parquet, and return its number of rows. `source` names the table in messages.

    Raises Malformed for a table without `site_id` or vectors, an id that stands twice or belongs to another data set
    than `data_set`, a row of another length, and a cell that is no number. Nothing stays under `path` after an error.
    """
    tail = _Tail(stream)
    reader = _open(tail, source)
    ids: dict[str, int] = {}
    with atomic_file(path) as file, pq.ParquetWriter(file, reader.schema, use_dictionary=False) as writer:
        for group in _groups(reader, source):
            names = group.column(ID).to_pylist()
            _check_data_set(names, data_set, source)
            _check_ids(names, ids, source)
            writer.write_table(group, row_group_size=GROUP_ROWS)
            on_rows(len(ids))
        if not ids:
            raise Malformed(f"{source} has no rows")
        if tail.last not in b"\r\n":
            raise Malformed(cut_text(source))
    return len(ids)


def cut_text(source: str) -> str:
    """Return what is wrong with a table whose last row may be cut within its last cell."""
    return f"{source} does not end with a line break, so that its last row may be cut; add one if the file is whole"


class _Tail(io.RawIOBase):
    """A stream that remembers the last byte that was read."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self.last = b""

    def readable(self) -> bool:
        """Return True."""
        return True

    def read(self, size: int = -1) -> bytes:
        """Return at most `size` bytes."""
        content = self._stream.read(size)
        self.last = content[-1:] or self.last
        return content

    def readline(self, size: int | None = -1) -> bytes:
        """Return a line, or at most `size` bytes of it."""
        line = self._stream.readline(-1 if size is None else size)
        self.last = line[-1:] or self.last
        return line


def _open(stream: _Tail, source: str) -> pyarrow.csv.CSVStreamingReader:
    line = stream.readline(_MAX_HEADER_BYTES)
    if line.lstrip()[:1] == b"<":
        raise Malformed(f"{source} is an HTML page, not a table")
    if not line.strip(b"\0 \r\n"):
        raise Malformed(f"{source} is empty, or its first line is; load it again")
    names = [name.strip().strip('"') for name in line.decode("utf-8-sig", errors="replace").strip().split(",")]
    features = [name for name in names if name != ID]
    if ID not in names or not features:
        raise Malformed(f"{source} has no column {ID} beside vectors; its header begins with {', '.join(names[:4])}")
    name, count = Counter(names).most_common(1)[0]
    if count > 1:
        raise Malformed(f"{source} has the column {name} {count} times; keep one")
    types = {ID: pa.string()} | dict.fromkeys(features, pa.float32())
    try:
        return pyarrow.csv.open_csv(
            stream,
            # Only one thread counts the rows, which messages name.
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES, use_threads=False),
            convert_options=pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise _malformed(source, error) from error


def _groups(reader: pyarrow.csv.CSVStreamingReader, source: str) -> Iterator[pa.Table]:
    """Yield tables of GROUP_ROWS rows, the last one shorter."""
    batches: list[pa.RecordBatch] = []
    rows = 0
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            break
        except pa.ArrowInvalid as error:
            raise _malformed(source, error) from error
        batches.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            yield pa.Table.from_batches(batches)
            batches, rows = [], 0
    if rows:
        yield pa.Table.from_batches(batches)


def _check_data_set(names: list[str], data_set: str | None, source: str) -> None:
    """Refuse vectors of another data set of the same publisher, whose tables have the same form."""
    for name in names if data_set else ():
        other = data_set_of(name)
        if other not in (None, data_set):
            raise Malformed(f"{source} has the vectors of {other} ({ID} {name}), and not those of {data_set}")


def _check_ids(names: list[str], ids: dict[str, int], source: str) -> None:
    doubled: list[str] = []
    for row, name in enumerate(names, start=len(ids) + 2):
        if not name:
            raise Malformed(f"{source} has no {ID} in row {row}; the row names no field of view")
        first = ids.setdefault(name, row)
        if first != row:
            doubled.append(f"{name} (rows {first} and {row})")
    if doubled:
        raise Malformed(f"{source} has {ID} {', '.join(doubled[:_MAX_LISTED])} twice; keep one row of each")


def _malformed(source: str, error: pa.ArrowInvalid) -> Malformed:
    reason = str(error).split("\n", 1)[0]
    if "Empty CSV file" in reason:
        return Malformed(f"{source} has no rows")
    match = _POSITION.search(reason)
    where = "" if match is None else f" at row {int(match['row']) + 1}"
    # The header was read before, so that the row that is counted as the first is the second of the file.
    detail = reason if match is None else reason[match.end() :]
    column = "" if match is None or match["column"] is None else f", column {int(match['column']) + 1}"
    return Malformed(f"{source} cannot be read{where}{column}: {detail[:200]}; the file may be half a download")
