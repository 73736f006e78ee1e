"""MitoCheck: single cells of 16 nuclear phenotypes, cut out by the authors of a benchmark (Way Science).

The images are a folder of a public repository at one commit, whose archive GitHub packs when it is asked for; therefore
its size and its checksum are not constant, and the images are counted and decoded.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from gandl_shared.errors import Invalid, InvalidImage, Problem, raise_if

from gandl.fetch.data_set import DataSet, RemoteFile
from gandl.fetch.parts.plates import check_image

URL = "https://github.com/WayScience/phenotypic_profiling/archive/92e4025d.zip"
IMAGES = 3277
EDGE = 64
"""Width and height of every image, pixels."""
CLASSES = (
    "ADCCM", "Anaphase", "Apoptosis", "Binuclear", "Elongated", "Folded", "Grape", "Hole", "Interphase", "Large",
    "Metaphase", "MetaphaseAlignment", "OutOfFocus", "Polylobed", "Prometaphase", "SmallIrregular",
)  # fmt: skip
_ABOUT_BYTES = 6_000_000
_MAX_UNPACKED_BYTES = 4_000_000_000
"""The archive is that of the whole repository, with models and tables, of which nobody tells the size."""


def mitocheck(url: str = URL, images: int = IMAGES) -> DataSet:
    """Return the data set. Other arguments than the defaults are for tests."""
    return DataSet(
        name="mitocheck",
        title="MitoCheck: single HeLa cells (H2B-GFP) of 16 nuclear phenotypes, 64×64 pixels, one channel",
        page="https://github.com/WayScience/phenotypic_profiling",
        licence="CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/)",
        citation=(
            "images of the MitoCheck project (Neumann et al., Nature, 2010), as single cells by Way Science "
            "(phenotypic_profiling)"
        ),
        archives=(RemoteFile(url=url, size=None),),
        unpacked_bytes=_MAX_UNPACKED_BYTES,
        laid_out_bytes=_ABOUT_BYTES,
        lay_out=partial(lay_out, count=images),
        check=partial(check, count=images),
    )


def lay_out(source: Path, target: Path, *, count: int = IMAGES) -> None:
    """Copy the images of all classes below `source` to `target/images/CLASS`.

    Raises Invalid where their number is another one, and InvalidImage for files that are no such images.
    """
    paths = list(_images(source))
    _check_count(len(paths), count, source)
    problems: list[Problem] = []
    for path in paths:
        copy = target / "images" / path.parent.name / path.name
        copy.parent.mkdir(parents=True, exist_ok=True)
        try:
            check_image(path, path.name, (EDGE, EDGE))
        except InvalidImage as error:
            problems.append(Problem(error.detail, file=path.name))
            continue
        shutil.copyfile(path, copy)
    raise_if(problems, InvalidImage, "these images of MitoCheck cannot be used")


def check(folder: Path, *, count: int = IMAGES) -> None:
    """Raise Invalid if a folder is not laid out as `lay_out` does it."""
    _check_count(sum(1 for _ in _images(folder / "images")), count, folder)


def _images(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*.png")):
        # Links are passed over, so that a folder cannot bring in files from elsewhere.
        if path.parent.name in CLASSES and path.is_file() and not path.is_symlink():
            yield path


def _check_count(actual: int, count: int, folder: Path) -> None:
    if actual != count:
        detail = f"{folder} holds {actual} images of the {len(CLASSES)} classes of MitoCheck, not {count}"
        raise Invalid(f"{detail}; get the whole folder of images", problems=[Problem(detail, field="images")])
