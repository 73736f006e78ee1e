"""Where the images of a screen are: one row per site with its files, as Parquet beside the results.

The folder of the images is stated relative to the folder of the results, and the files relative to the folder of the
images. So both may be moved together, and nothing about the machine is told.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from gandl_shared.errors import Invalid, Malformed, Problem, raise_if
from gandl_shared.files.references import parse_reference
from gandl_shared.plates import SiteId

MAX_NAME = 4096
"""The most characters of a name of a file or a folder."""
_FOLDER = b"folder"
_ID = ("plate", "well", "site")
_TYPES = {
    **{f"Metadata_{name}": pa.string() for name in _ID},
    "files": pa.list_(pa.string()),
    "planes": pa.list_(pa.int32()),
}


@dataclass(frozen=True, kw_only=True)
class SiteFiles:
    """The files of a site, as `plates.Site` has them."""

    site: SiteId
    names: tuple[str, ...]
    planes: tuple[int, ...] = ()


@dataclass(frozen=True, kw_only=True)
class ImageFolder:
    """The folder of the images of a screen relative to that of its results, and the files of its sites."""

    folder: str
    sites: tuple[SiteFiles, ...]


def is_text(name: str) -> bool:
    """Return whether a name can be stored; a file system may have names whose bytes are no text."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True


def write_site_files(file: BinaryIO, images: ImageFolder) -> None:
    """Write Parquet with one row per site."""
    columns = [
        *([getattr(each.site, name) for each in images.sites] for name in _ID),
        [list(each.names) for each in images.sites],
        [list(each.planes) for each in images.sites],
    ]
    arrays = [pa.array(values, kind) for values, kind in zip(columns, _TYPES.values(), strict=True)]
    table = pa.table(dict(zip(_TYPES, arrays, strict=True)))
    pq.write_table(table.replace_schema_metadata({_FOLDER: images.folder.encode()}), file)


def read_site_files(file: BinaryIO, source: str) -> ImageFolder:
    """Read a file of `write_site_files`, which is called `source` in messages.

    Raises Malformed if it is none, and Invalid naming each row whose files are not below the folder of the images.
    """
    try:
        table = pq.ParquetFile(file).read(use_threads=False)
        metadata = table.schema.metadata or {}
        if _FOLDER not in metadata or not set(_TYPES) <= set(table.column_names):
            raise Malformed(f"{source} does not say where images are; screen the images again")
        fields = [pa.field(name, kind, nullable=False) for name, kind in _TYPES.items()]
        rows = table.select(list(_TYPES)).cast(pa.schema(fields)).to_pylist()
        folder = metadata[_FOLDER].decode()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise Malformed(f"{source} does not say where images are: {str(error).splitlines()[0]}") from error
    sites = tuple(
        SiteFiles(
            site=SiteId(*(row[f"Metadata_{name}"] for name in _ID)),
            names=tuple(row["files"]),
            planes=tuple(row["planes"]),
        )
        for row in rows
    )
    raise_if(_problems(folder, sites, source), Invalid, f"{source} cannot be used")
    return ImageFolder(folder=folder, sites=sites)


def _problems(folder: str, sites: Sequence[SiteFiles], source: str) -> list[Problem]:
    """Return what no run of gandl writes: absolute names, names that lead out, and sites that occur twice."""
    problems = []
    if not _is_name(folder) or PurePosixPath(folder).is_absolute():
        detail = f"the folder of the images '{folder[:200]}' is not a path relative to the results"
        problems.append(Problem(detail, file=source, field="folder"))
    rows: dict[SiteId, int] = {}
    for number, each in enumerate(sites, start=1):
        if (first := rows.setdefault(each.site, number)) != number:
            detail = f"site {each.site.site} of well {each.site.well} is in row {first} already"
            problems.append(Problem(detail, file=source, row=number, field="Metadata_site"))
        outside = next((name for name in each.names if not _is_inside(name)), None)
        if outside is not None:
            detail = f"'{outside[:200]}' is not the name of a file below the folder of the images"
            problems.append(Problem(detail, file=source, row=number, field="files"))
        if not each.names or (each.planes and (min(each.planes) < 0 or sum(each.planes) != len(each.names))):
            detail = f"{len(each.names)} files do not fit the numbers of planes {list(each.planes)[:20]}"
            problems.append(Problem(detail, file=source, row=number, field="planes"))
    return problems


def _is_name(name: str | None) -> bool:
    return name is not None and 0 < len(name) <= MAX_NAME and "\0" not in name


def _is_inside(name: str | None) -> bool:
    if name is None or not _is_name(name):
        return False
    path = PurePosixPath(parse_reference(name).file)
    return not path.is_absolute() and ".." not in path.parts
