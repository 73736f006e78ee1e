"""Tables of vectors as AnnData `.h5ad`, read by h5py alone: `X` by blocks of rows, and the columns of `obs`.

Links to other files, data in other files, and virtual data are refused: a file that somebody sends must not make gandl
open another one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import h5py
import numpy as np
from gandl_shared.errors import InvalidTable, Problem
from gandl_shared.files.regular import open_regular
from numpy.typing import NDArray

from gandl_analysis.formats.profiles.sources.source import Block, Kind, RowTexts, TextColumn, check_names, text_of

MAGIC = b"\x89HDF"
OBS_NAMES = "obs_names"
"""The name under which the names of the rows are a column, where `obs` gives its index no name."""
_BLOCK_ROWS = 4096
_MAX_OBS_ROWS = 50_000_000
_NO_NAMES = ("_index", "index", "")


class H5adSource:
    """An AnnData file; its rows are counted from 1, and its features are the names in `var`."""

    notes: tuple[str, ...] = ()

    def __init__(self, path: Path) -> None:
        self.file, self._path = path.name, path
        with self._open() as file:
            self._rows, width = _shape(_member(file, "X"))
            obs, var = _group(file, "obs"), _group(file, "var")
            self._obs = {_column_name(obs, key): key for key in _columns(obs)}
            self.features = tuple(_texts(var, _index_key(var)))
            kinds = {name: _kind_of(obs, key) for name, key in self._obs.items()}
            if len(self.features) != width:
                raise self._error(f"var names {len(self.features)} features, but X has {width} columns")
            rows = _length(obs, _index_key(obs))
            if rows != self._rows or rows > _MAX_OBS_ROWS:
                raise self._error(f"obs describes {rows} rows, but X has {self._rows}")
        check_names(self.features, self.file)
        self.kinds = {**kinds, **dict.fromkeys(self.features, Kind.NUMBER)}

    def texts(self, names: Sequence[str]) -> RowTexts:
        """Return these columns of `obs` as texts."""
        with self._open() as file:
            obs = _group(file, "obs")
            columns = {name: TextColumn.of(_texts(obs, self._obs[name])) for name in names}
        return RowTexts(source=self.file, numbers=np.arange(1, self._rows + 1), columns=columns)

    def blocks(self, names: Sequence[str]) -> Iterator[Block]:
        """Yield the numbers of these features from `X`, dense or sparse."""
        index = {name: i for i, name in enumerate(self.features)}
        columns = np.array([index[name] for name in names], np.intp)
        with self._open() as file:
            x = _member(file, "X")
            for start in range(0, self._rows, _BLOCK_ROWS):
                rows = slice(start, min(start + _BLOCK_ROWS, self._rows))
                block = _dense(x, rows) if isinstance(x, h5py.Dataset) else _sparse(x, rows, len(self.features))
                yield block[:, columns]

    @contextmanager
    def _open(self) -> Iterator[h5py.File]:
        try:
            with open_regular(self._path) as stream, h5py.File(stream, "r") as file:
                yield file
        # h5py raises all of these for damaged files; what it says is passed on.
        except (OSError, KeyError, RuntimeError, ValueError, TypeError) as error:
            raise self._error(
                f"cannot be read as AnnData ({str(error).splitlines()[0][:200]}); load it again"
            ) from error

    def _error(self, detail: str) -> InvalidTable:
        problem = Problem(detail, file=self.file)
        return InvalidTable(f"table {self.file} cannot be used: {problem}", problems=[problem])


def _member(group: h5py.Group, key: str) -> h5py.Group | h5py.Dataset:
    link = group.get(key, getlink=True)
    if link is None:
        raise KeyError(f"it has no {key}")
    if not isinstance(link, h5py.HardLink):
        raise ValueError(f"{key} is a link, which may lead to another file")
    member = group[key]
    if isinstance(member, h5py.Dataset) and (member.external or member.is_virtual):
        raise ValueError(f"the data of {key} lie in another file")
    return member


def _group(file: h5py.File, key: str) -> h5py.Group:
    group = _member(file, key)
    if not isinstance(group, h5py.Group):
        raise ValueError(f"{key} is in a form of anndata before 0.7; write it again with a newer anndata")
    return group


def _index_key(group: h5py.Group) -> str:
    return str(group.attrs.get("_index", "_index"))


def _columns(group: h5py.Group) -> list[str]:
    order = [str(name) for name in group.attrs.get("column-order", [])]
    return [_index_key(group), *order]


def _column_name(group: h5py.Group, key: str) -> str:
    return OBS_NAMES if key == _index_key(group) and key in _NO_NAMES else key


def _shape(x: h5py.Group | h5py.Dataset) -> tuple[int, int]:
    if isinstance(x, h5py.Dataset):
        if len(x.shape) != 2:
            raise ValueError(f"X has {len(x.shape)} dimensions, not 2")
        return int(x.shape[0]), int(x.shape[1])
    if x.attrs.get("encoding-type") != "csr_matrix":
        raise ValueError("X is neither dense nor a csr_matrix; write it as one of them")
    rows, width = (int(n) for n in x.attrs["shape"])
    return rows, width


def _dense(x: h5py.Dataset, rows: slice) -> Block:
    if x.dtype.kind not in "fiub":
        raise ValueError(f"X holds {x.dtype}, not numbers")
    return np.asarray(x[rows], np.float64)


def _sparse(x: h5py.Group, rows: slice, width: int) -> Block:
    data, indices, pointers = (_member(x, key) for key in ("data", "indices", "indptr"))
    bounds = np.asarray(pointers[rows.start : rows.stop + 1], np.intp)
    block = np.zeros((rows.stop - rows.start, width))
    part = slice(int(bounds[0]), int(bounds[-1]))
    row = np.repeat(np.arange(len(block)), np.diff(bounds))
    block[row, np.asarray(indices[part], np.intp)] = data[part]
    return block


def _kind_of(group: h5py.Group, key: str) -> Kind:
    member = _member(group, key)
    if isinstance(member, h5py.Dataset):
        return Kind.NUMBER if member.dtype.kind in "fiub" else Kind.TEXT
    values = member.get("values") if "values" in member else member.get("categories")
    return Kind.NUMBER if isinstance(values, h5py.Dataset) and values.dtype.kind in "fiu" else Kind.TEXT


def _length(group: h5py.Group, key: str) -> int:
    member = _member(group, key)
    values = member if isinstance(member, h5py.Dataset) else _member(member, "codes" if "codes" in member else "values")
    return len(values)


def _texts(group: h5py.Group, key: str) -> list[str]:
    """Return a column as texts: plain, categorical, or with a mask of missing values."""
    member = _member(group, key)
    if isinstance(member, h5py.Dataset):
        return _plain(member)
    if "categories" in member:
        categories = [*_texts(member, "categories"), ""]  # the code of a missing value is -1: the last one
        codes = _member(member, "codes")
        return [categories[code] for code in np.asarray(codes[:], np.intp).tolist()]
    values = _plain(_member(member, "values"))
    mask = np.asarray(_member(member, "mask")[:], bool).tolist()
    return ["" if missing else text for text, missing in zip(values, mask, strict=True)]


def _plain(values: h5py.Dataset) -> list[str]:
    if h5py.check_string_dtype(values.dtype) is not None:
        return [str(text).strip() for text in values.asstr()[:]]
    array: NDArray[np.generic] = values[:]
    return [text_of(value) for value in array.tolist()]
