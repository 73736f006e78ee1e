"""Tables of vectors as Parquet, read row group by row group."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gandl_shared.errors import InvalidTable, Problem
from gandl_shared.files.regular import open_regular

from gandl_analysis.formats.profiles.sources.source import Block, Kind, RowTexts, check_names, text_column

MAGIC = b"PAR1"
_BLOCK_ROWS = 2048
_INDEX_PREFIX = "__index_level_"


class ParquetSource:
    """A Parquet file; its rows are counted from 1."""

    features: tuple[str, ...] | None = None
    notes: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.file, self._path = path.name, path
        with self._open() as file:
            # The index of a data frame counts rows and describes nothing.
            fields = [field for field in file.schema_arrow if not field.name.startswith(_INDEX_PREFIX)]
            self._rows = file.metadata.num_rows
        check_names([field.name for field in fields], self.file)
        self.kinds = {field.name: _kind(field.type) for field in fields}
        if not self._rows:
            raise InvalidTable(f"table {self.file} has no rows")

    def texts(self, names: Sequence[str]) -> RowTexts:
        """Return these columns as texts."""
        with self._open() as file:
            table = file.read(columns=list(names), use_threads=False)
        columns = {name: text_column(table.column(name)) for name in names}
        return RowTexts(source=self.file, numbers=np.arange(1, self._rows + 1), columns=columns)

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """Yield the numbers of these columns."""
        with self._open() as file:
            for batch in file.iter_batches(_BLOCK_ROWS, columns=list(names), use_threads=False):
                yield _matrix(batch.select(list(names)))
        # The buffers of a large table would stay with this process, which is about to need its memory.
        pa.default_memory_pool().release_unused()

    @contextmanager
    def _open(self) -> Iterator[pq.ParquetFile]:
        try:
            with open_regular(self._path) as stream:
                # What is read ahead would stay in memory until the whole table is read.
                yield pq.ParquetFile(stream, pre_buffer=False)
        except (pa.ArrowException, OSError) as error:
            reason = str(error).splitlines()[0][:200]
            problem = Problem(f"cannot be read as Parquet, as half of a download cannot ({reason})", file=self.file)
            detail = f"table {self.file} cannot be used: {problem}; load it again"
            raise InvalidTable(detail, problems=[problem]) from error


def _matrix(batch: pa.RecordBatch) -> Block:
    if all(pa.types.is_float32(kind) for kind in batch.schema.types):
        # One pass through the memory, where a column at a time takes ten times as long.
        block: Block = batch.to_tensor(null_to_nan=True, row_major=True).to_numpy()
        return block
    columns = (column.cast(pa.float64()) for column in batch.columns)
    return np.stack([column.to_numpy(zero_copy_only=False) for column in columns], axis=1)


def _kind(kind: pa.DataType) -> Kind:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind) or pa.types.is_decimal(kind):
        return Kind.NUMBER
    return Kind.OTHER if pa.types.is_nested(kind) or pa.types.is_binary(kind) else Kind.TEXT
