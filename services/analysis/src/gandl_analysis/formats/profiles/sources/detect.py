"""Which kind of file a table of vectors is, by its first bytes and not by its name."""

from __future__ import annotations

from pathlib import Path

from gandl_shared.errors import InvalidTable, NotFound, Problem
from gandl_shared.files.regular import open_regular

from gandl_analysis.formats.profiles.sources import h5ad, parquet
from gandl_analysis.formats.profiles.sources.delimited import DelimitedSource
from gandl_analysis.formats.profiles.sources.source import ProfileSource

_OTHER = {
    b"PK\x03\x04": "is a ZIP archive or a workbook; unpack it, or save the sheet as CSV",
    b"SQLite format 3": "is an SQLite database; convert it to Parquet, for example with CytoTable",
    b"BZh": "is compressed by bzip2; unpack it, or compress it by gzip",
    b"\xfd7zXZ": "is compressed by xz; unpack it, or compress it by gzip",
    b"\x28\xb5\x2f\xfd": "is compressed by Zstandard; unpack it, or compress it by gzip",
    b"\x93NUMPY": "is an array of numpy without names; write a table with one named column per feature",
}


def open_source(path: Path) -> ProfileSource:
    """Open a table of vectors. Raises NotFound, and InvalidTable for a file that is none."""
    if not path.exists():
        raise NotFound(f"table {path} is not there; give the path of a Parquet, CSV, CSV.GZ or .h5ad file")
    try:
        with open_regular(path) as file:
            head = file.read(16)
    except OSError as error:
        raise InvalidTable(f"table {path.name} cannot be read: {error.strerror}") from error
    if head.startswith(parquet.MAGIC):
        return parquet.ParquetSource(path)
    if head.startswith(h5ad.MAGIC):
        return h5ad.H5adSource(path)
    detail = next((detail for magic, detail in _OTHER.items() if head.startswith(magic)), None)
    if detail is not None:
        problem = Problem(detail, file=path.name)
        raise InvalidTable(f"table {path.name} cannot be used: {problem}", problems=[problem])
    return DelimitedSource(path)
