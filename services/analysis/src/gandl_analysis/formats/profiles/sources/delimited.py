"""Tables of vectors as CSV, also compressed by gzip, read in blocks so that a file may be larger than the memory."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.csv as pc
from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.files.regular import open_regular
from gandl_shared.plates.tables.foreign import foreign_text

from gandl_analysis.formats.profiles.sources.source import Block, Kind, RowTexts, check_names, text_column

GZIP = b"\x1f\x8b"
_BLOCK_BYTES = 16_000_000
_MAX_HEADER_BYTES = 4_000_000
_SEPARATORS = (",", ";", "\t")
_NULLS = ["", "NA", "N/A", "NaN", "nan", "null", "NULL", "None", "#N/A", "-nan"]
_CELL_ERROR = re.compile(r"In CSV column #(\d+): Row #(\d+): .*invalid value '(.*)'")
_ROW_ERROR = re.compile(r"Row #(\d+): Expected (\d+) columns, got (\d+)")


class DelimitedSource:
    """A CSV file with a header; rows of the file are counted from 1, so that the first row of numbers is 2."""

    features: tuple[str, ...] | None = None

    def __init__(self, path: Path) -> None:
        self.file, self._path = path.name, path
        header, first = self._head()
        self._separator = max(_SEPARATORS, key=header.count)
        try:
            self._names = next(csv.reader([header], delimiter=self._separator))
            cells = next(csv.reader([first], delimiter=self._separator), [])
        except csv.Error as error:
            raise self._error(f"one of the first two rows: {error}") from error
        check_names([name for name in self._names if name], self.file)
        # Data frames write their index without a name in front.
        self._names = [name or f"column {i}" for i, name in enumerate(self._names, start=1)]
        self._decimal = "," if self._separator != "," and any(re.fullmatch(r"-?\d+,\d+", c) for c in cells) else "."
        self.kinds = self._kinds()
        self.notes = self._notes()

    def texts(self, names: Sequence[str]) -> RowTexts:
        """Return these columns as texts. Raises InvalidTable naming a row of another length than the header."""
        # A file without columns of texts still has rows to count.
        read = list(names) or self._names[:1]
        chunks = list(self._batches(read, pa.string()))
        table = (
            pa.Table.from_batches(chunks) if chunks else pa.table({name: pa.array([], pa.string()) for name in read})
        )
        columns = {name: text_column(table.column(name)) for name in names}
        return RowTexts(source=self.file, numbers=np.arange(2, len(table) + 2), columns=columns)

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """Yield the numbers of these columns. Raises InvalidTable naming row and column of a cell without a number."""
        for batch in self._batches(names, pa.float64()):
            yield np.stack([column.to_numpy(zero_copy_only=False) for column in batch.columns], axis=1)

    def _batches(self, names: Sequence[str], kind: pa.DataType) -> Iterator[pa.RecordBatch]:
        convert = pc.ConvertOptions(
            include_columns=list(names),
            column_types=dict.fromkeys(names, kind),
            null_values=_NULLS,
            strings_can_be_null=False,
            decimal_point=self._decimal,
        )
        with self._reader(convert) as reader:
            yield from reader

    @contextmanager
    def _reader(self, convert: pc.ConvertOptions) -> Iterator[pc.CSVStreamingReader]:
        # Without threads, messages name the row.
        read = pc.ReadOptions(
            use_threads=False, block_size=_BLOCK_BYTES, column_names=self._names, skip_rows=1, encoding="utf8"
        )
        parse = pc.ParseOptions(delimiter=self._separator, newlines_in_values=True)
        with self._open() as stream:
            try:
                with pc.open_csv(stream, read_options=read, parse_options=parse, convert_options=convert) as reader:
                    yield reader
            except (pa.ArrowInvalid, OSError) as error:
                raise self._error(str(error)) from error

    @contextmanager
    def _open(self) -> Iterator[pa.NativeFile]:
        try:
            file = open_regular(self._path)
        except OSError as error:
            raise InvalidTable(f"table {self.file} cannot be read: {error.strerror}") from error
        with file:
            is_gzip = file.peek(2)[:2] == GZIP  # type: ignore[attr-defined]  # a BufferedReader
            stream = pa.PythonFile(file, mode="r")
            yield pa.CompressedInputStream(stream, "gzip") if is_gzip else stream

    def _head(self) -> tuple[str, str]:
        """Return the header and the row after it."""
        with self._open() as stream:
            try:
                head = stream.read(_MAX_HEADER_BYTES)
            except OSError as error:
                raise self._error(str(error)) from error
        check_text(head, self.file)
        try:
            text = head.decode("utf-8-sig", "ignore" if len(head) == _MAX_HEADER_BYTES else "strict")
        except UnicodeDecodeError as error:
            raise InvalidTable(f"table {self.file} is not in UTF-8; save it as CSV UTF-8") from error
        lines = io.StringIO(text)
        header, first = lines.readline().rstrip("\r\n"), lines.readline().rstrip("\r\n")
        if len(head) == _MAX_HEADER_BYTES and "\n" not in text:
            limit = _MAX_HEADER_BYTES // 1_000_000
            raise InvalidTable(f"table {self.file} has a header of more than {limit} MB; divide it by features")
        if not first:
            raise InvalidTable(f"table {self.file} has no rows; it needs a header and one row per well, field or cell")
        return header, first

    def _kinds(self) -> dict[str, Kind]:
        """Return what the cells of the first block hold; a wrong cell further below is named when it is read."""
        convert = pc.ConvertOptions(null_values=_NULLS, strings_can_be_null=True, decimal_point=self._decimal)
        with self._reader(convert) as reader:
            schema = reader.schema
        return {field.name: _kind(field.type) for field in schema}

    def _notes(self) -> tuple[str, ...]:
        with self._open() as stream:
            if isinstance(stream, pa.CompressedInputStream):
                return ()
            size = self._path.stat().st_size
            stream.seek(max(size - 1, 0))
            if stream.read(1) in (b"\n", b"\r"):
                return ()
        return (f"{self.file} does not end with a line break, so that its last row may have been cut",)

    def _error(self, message: str) -> InvalidTable:
        cell, row = _CELL_ERROR.search(message), _ROW_ERROR.search(message)
        problem = Problem(f"cannot be read as CSV ({message.splitlines()[0][:200]}); load it again", file=self.file)
        if "runcated" in message:
            problem = Problem(
                "ends within its compressed data, as half of a download does; load it again", file=self.file
            )
        elif cell:
            detail = (
                f"'{cell[3][:60]}' is no number; a feature is a number or empty, and texts need the prefix Metadata_"
            )
            problem = Problem(detail, file=self.file, row=int(cell[2]), field=self._names[int(cell[1])])
        elif row:
            number, width, cells = int(row[1]), int(row[2]), int(row[3])
            detail = f"has {cells} cells, the header {width}; the file may be cut, or a cell holds a bare separator"
            problem = Problem(detail, file=self.file, row=number)
        return InvalidTable(f"table {self.file} cannot be used: {problem}", problems=[problem])


def check_text(head: bytes, file: str) -> None:
    """Raise InvalidTable for what a server sends in place of a file, and for a file that is no text at all."""
    detail = foreign_text(head)
    if not head.removeprefix(b"\xef\xbb\xbf").strip():
        detail = "is empty"
    elif detail is None and b"\0" in head[:4096]:
        detail = "is no text; give CSV in UTF-8, Parquet or .h5ad"
    problems = [] if detail is None else [Problem(detail, file=file)]
    raise_if(problems, InvalidTable, f"table {file} cannot be used")


def _kind(kind: pa.DataType) -> Kind:
    if pa.types.is_integer(kind) or pa.types.is_floating(kind) or pa.types.is_null(kind):
        return Kind.NUMBER
    return Kind.UNTYPED
