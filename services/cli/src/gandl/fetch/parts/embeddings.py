"""A published table of vectors, CSV to Parquet, in blocks: the memory does not grow with the number of rows.

The columns keep their names: `site_id`, and then one column of 32-bit numbers for each number of the vector.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
from gandl_shared.errors import Malformed
from gandl_shared.files.atomic import atomic_file

ID = "site_id"
BLOCK_BYTES = 4 << 20
"""The CSV text is read in blocks of so many bytes, several of them ahead; one holds 700 vectors of 1,024 numbers."""
GROUP_ROWS = 4096
"""Rows of one row group of the Parquet file, 16 MB of vectors of 1,024 numbers."""
_MAX_HEADER_BYTES = 1 << 20
_MAX_LISTED = 3

OnRows = Callable[[int], None]


def csv_to_parquet(stream: IO[bytes], path: Path, *, source: str, on_rows: OnRows = lambda _rows: None) -> int:
    """Write a table of vectors as Parquet, and return its number of rows. `source` names the table in messages.

    Raises Malformed for a table without `site_id` or vectors, an id that stands twice, a row of another length, and a
    cell that is no number. Nothing stays under `path` after an error.
    """
    reader = _open(stream, source)
    ids: set[str] = set()
    with atomic_file(path) as file, pq.ParquetWriter(file, reader.schema, use_dictionary=False) as writer:
        for group in _groups(reader, source):
            _check_ids(group.column(ID).to_pylist(), ids, source)
            writer.write_table(group, row_group_size=GROUP_ROWS)
            on_rows(len(ids))
        if not ids:
            raise Malformed(f"{source} has no rows")
    return len(ids)


def _open(stream: IO[bytes], source: str) -> pyarrow.csv.CSVStreamingReader:
    line = stream.readline(_MAX_HEADER_BYTES)
    if line.lstrip()[:1] == b"<":
        raise Malformed(f"{source} is an HTML page, not a table")
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
            read_options=pyarrow.csv.ReadOptions(column_names=names, block_size=BLOCK_BYTES),
            convert_options=pyarrow.csv.ConvertOptions(column_types=types, strings_can_be_null=False),
        )
    except pa.ArrowInvalid as error:
        raise _malformed(source, 0, error) from error


def _groups(reader: pyarrow.csv.CSVStreamingReader, source: str) -> Iterator[pa.Table]:
    """Yield tables of GROUP_ROWS rows, the last one shorter."""
    batches: list[pa.RecordBatch] = []
    rows = total = 0
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            break
        except pa.ArrowInvalid as error:
            raise _malformed(source, total, error) from error
        total += batch.num_rows
        batches.append(batch)
        rows += batch.num_rows
        if rows >= GROUP_ROWS:
            yield pa.Table.from_batches(batches)
            batches, rows = [], 0
    if rows:
        yield pa.Table.from_batches(batches)


def _check_ids(names: list[str], ids: set[str], source: str) -> None:
    blank = sum(not name for name in names)
    if blank:
        raise Malformed(f"{source} has {blank} rows without a {ID} after row {len(ids) + 1}")
    doubled = [name for name, count in Counter(names).items() if count > 1 or name in ids]
    if doubled:
        raise Malformed(f"{source} has {ID} {', '.join(doubled[:_MAX_LISTED])} twice; keep one row of each")
    ids.update(names)


def _malformed(source: str, rows: int, error: pa.ArrowInvalid) -> Malformed:
    reason = str(error).split("\n", 1)[0][:200]
    return Malformed(f"{source} cannot be read after row {rows + 1}: {reason}; the file may be half a download")
