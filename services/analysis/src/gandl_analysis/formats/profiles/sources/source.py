"""What every file of vectors offers: names of columns, texts that describe rows, and numbers in blocks of rows."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import Protocol

import numpy as np
import pyarrow as pa
from gandl_shared.errors import InvalidTable, Problem, raise_if
from gandl_shared.plates.tables import Table
from numpy.typing import NDArray

Block = NDArray[np.float64] | NDArray[np.float32]  # [rows, features]; float32 where the file holds no other numbers


class Kind(Enum):
    """What the cells of a column hold."""

    NUMBER = auto()
    TEXT = auto()
    UNTYPED = auto()  # texts of a file without types: which of them is no number is named when they are read
    OTHER = auto()


@dataclass(frozen=True)
class TextColumn:
    """The texts of a column: a code per row, and the text of each code. Texts have no blanks around them."""

    codes: NDArray[np.intp]
    values: tuple[str, ...]

    @classmethod
    def of(cls, texts: Sequence[str]) -> TextColumn:
        """Return the column of these texts."""
        encoded = pa.array(texts, pa.string()).dictionary_encode()
        return cls(encoded.indices.to_numpy().astype(np.intp), tuple(encoded.dictionary.to_pylist()))

    def at(self, row: int) -> str:
        """Return the text of a row, counted from 0."""
        return self.values[int(self.codes[row])]

    def texts(self) -> list[str]:
        """Return the text of every row."""
        return [self.values[code] for code in self.codes.tolist()]

    def take(self, rows: NDArray[np.intp]) -> TextColumn:
        """Return the column with only these rows, in their order."""
        return TextColumn(self.codes[rows], self.values)


@dataclass(frozen=True, kw_only=True)
class RowTexts:
    """What describes N rows: texts by the name of their column, and the number of each row in the file `source`.

    `table` is the plate map that they come from, where they do.
    """

    source: str
    numbers: NDArray[np.intp]
    columns: Mapping[str, TextColumn]
    table: Table | None = None

    def __len__(self) -> int:
        return len(self.numbers)


class ProfileSource(Protocol):
    """A file of vectors. `kinds` are its columns in order; `features` are those that it names itself, where it does."""

    @property
    def file(self) -> str:
        """The name of the file."""

    @property
    def kinds(self) -> Mapping[str, Kind]:
        """What the cells of each column hold."""

    @property
    def features(self) -> tuple[str, ...] | None:
        """The features that the file itself names."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What was assumed."""

    def texts(self, names: Sequence[str]) -> RowTexts:
        """Return these columns as texts."""

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """Yield the numbers of these columns, block by block of rows; a missing number is NaN."""


def text_column(array: pa.ChunkedArray) -> TextColumn:
    """Return a column of any simple type as texts: whole numbers without `.0`, and nothing for a missing value."""
    chunked = array.unify_dictionaries() if pa.types.is_dictionary(array.type) else array.dictionary_encode()
    if chunked.num_chunks == 0:
        return TextColumn(np.empty(0, np.intp), ())
    values = chunked.chunk(0).dictionary.to_pylist()
    texts = ["" if value is None else text_of(value) for value in values]
    codes = np.concatenate([chunk.indices.fill_null(len(texts)).to_numpy(False) for chunk in chunked.chunks])
    # Different values may be one text, such as 1 and 1.0, and a missing value is the empty text.
    index: dict[str, int] = {}
    recode = np.array([index.setdefault(text, len(index)) for text in (*texts, "")], np.intp)
    return TextColumn(recode[codes], tuple(index))


def text_of(value: object) -> str:
    """Return a value as a cell of a table: whole numbers without `.0`; NaN, which pandas writes, is an empty cell."""
    if isinstance(value, float):
        if math.isnan(value):
            return ""
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    return value.decode("utf-8", "replace").strip() if isinstance(value, bytes) else str(value).strip()


def check_names(names: Sequence[str], file: str) -> None:
    """Raise InvalidTable where two columns have one name, as nobody knows which of them is right."""
    positions: dict[str, list[int]] = {}
    for number, name in enumerate(names, start=1):
        positions.setdefault(name, []).append(number)
    problems = [
        Problem(
            f"column occurs twice, in columns {' and '.join(map(str, n))}; remove or rename one", file=file, field=name
        )
        for name, n in positions.items()
        if len(n) > 1
    ]
    raise_if(problems, InvalidTable, f"table {file} cannot be used")
