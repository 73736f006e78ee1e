"""BBBC013: one 96-well plate of the translocation of FKHR-EGFP in U2OS cells (Broad Bioimage Benchmark Collection).

The publisher has one ZIP archive of 192 BMP files, `Channel1-01-A-01.BMP` to `Channel2-96-H-12.BMP`: the channel, the
number of the well in reading order, its row and its column. Here they become `images/Channel1-01-A-01.tif` and so on,
with the same pixels, and a plate map is written beside them.

The plate map is the published layout (https://bbbc.broadinstitute.org/BBBC013, "Plate map"): wortmannin in rows A to D
and LY294002 in rows E to H, nine doses in columns 3 to 11, each dose once per row. The positive control is 150 nM
wortmannin. Sources differ in two columns: E01 to H01 are 150 nM wortmannin or 80 µM LY294002, a positive control in
either case, and E12 to H12 are called empty or negative, which are wells with cells and without a drug in either case.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import tifffile
from gandl_shared.errors import GandlError, Invalid, InvalidImage, Problem, raise_if
from gandl_shared.imaging import read_site
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError

from gandl.fetch.data_set import DataSet, RemoteFile

URL = "https://data.broadinstitute.org/bbbc/BBBC013/BBBC013_v1_images_bmp.zip"
ARCHIVE_BYTES = 32_404_692
EDGE = 640
"""Width and height of every image, pixels."""

_BMP_BYTES = EDGE * EDGE + 1078  # the header and the colour table of an 8-bit BMP
_TIFF_BYTES = EDGE * EDGE + 1024
ROWS, COLUMNS, CHANNELS = "ABCDEFGH", 12, (1, 2)
_IMAGE_NAME = re.compile(
    r"Channel(?P<channel>[12])-(?P<number>\d{2})-(?P<row>[A-H])-(?P<column>\d{2})\.(bmp|tiff?)", re.I
)

_PLATE_MAP_COLUMNS = (
    "plate", "well", "role", "compound", "concentration_um", "cell_line", "channel_1_gfp", "channel_2_dna",
)  # fmt: skip
_WORTMANNIN_UM = ("0.00098", "0.00195", "0.00391", "0.00781", "0.01563", "0.03125", "0.0625", "0.125", "0.25")
_LY294002_UM = ("0.31", "0.63", "1.25", "2.5", "5", "10", "20", "40", "80")
_FIRST_DOSE_COLUMN = 3
_POSITIVE = ("positive_control", "Wortmannin", "0.15")
_NEGATIVE = ("negative_control", "", "")

Pixels = NDArray[np.uint8]
Content = tuple[str, str, str]  # role, compound, concentration in µM


@dataclass(frozen=True, kw_only=True)
class PlateImage:
    """The image of one channel of one well; `row` and `column` count from 1."""

    channel: int
    row: int
    column: int

    @property
    def stem(self) -> str:
        """The published file name without its suffix."""
        number = (self.row - 1) * COLUMNS + self.column
        return f"Channel{self.channel}-{number:02d}-{ROWS[self.row - 1]}-{self.column:02d}"


def bbbc013(url: str = URL, size: int = ARCHIVE_BYTES, edge: int = EDGE) -> DataSet:
    """Return the data set. The publisher gives no checksum. Other arguments than the defaults are for tests."""
    return DataSet(
        name="bbbc013",
        title="BBBC013v1: translocation of FKHR-EGFP in U2OS cells, one 96-well plate, two channels",
        page="https://bbbc.broadinstitute.org/BBBC013",
        licence="CC BY 3.0 (https://creativecommons.org/licenses/by/3.0/)",
        citation=(
            "BBBC013v1, provided by Ilya Ravkin, from the Broad Bioimage Benchmark Collection "
            "(Ljosa et al., Nature Methods, 2012)"
        ),
        archives=(RemoteFile(url=url, size=size),),
        unpacked_bytes=len(plate_images()) * _BMP_BYTES,
        laid_out_bytes=len(plate_images()) * _TIFF_BYTES,
        lay_out=partial(lay_out, edge=edge),
        check=check,
    )


def plate_images() -> tuple[PlateImage, ...]:
    """Return all 192 images, channel by channel in reading order."""
    return tuple(
        PlateImage(channel=channel, row=row, column=column)
        for channel in CHANNELS
        for row in range(1, len(ROWS) + 1)
        for column in range(1, COLUMNS + 1)
    )


def plate_map() -> str:
    """Return the plate map as CSV text, one row per well."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_PLATE_MAP_COLUMNS)
    for row in range(1, len(ROWS) + 1):
        for column in range(1, COLUMNS + 1):
            files = [f"{PlateImage(channel=c, row=row, column=column).stem}.tif" for c in CHANNELS]
            well = f"{ROWS[row - 1]}{column:02d}"
            writer.writerow(["BBBC013", well, *_content(row, column), "U2OS", *files])
    return text.getvalue()


def lay_out(source: Path, target: Path, *, edge: int = EDGE) -> None:
    """Write `images/*.tif` and `platemap.csv` into the folder `target` from the images anywhere below `source`.

    The images may be BMP files as published, or TIFF files as in a folder that this function wrote. A TIFF file is
    copied byte for byte. Raises Invalid for missing or doubled files, InvalidImage for files that are no such images.
    """
    files = _files_by_image(source)
    (target / "images").mkdir()
    problems: list[Problem] = []
    for image, path in files.items():
        copy = target / "images" / f"{image.stem}.tif"
        try:
            if path.suffix.lower() == ".bmp":
                pixels = _read_bmp(path, edge)
                tifffile.imwrite(copy, pixels, photometric="minisblack", software="gandl", metadata=None)
            else:
                # The bytes stay the same, because a vector is identified by the hash of the bytes of its image.
                _check_tiff(path, edge)
                copy.write_bytes(path.read_bytes())
        except InvalidImage as error:
            problems.append(Problem(error.detail, file=path.name))
    raise_if(problems, InvalidImage, "these images of BBBC013 cannot be used")
    (target / "platemap.csv").write_text(plate_map(), encoding="utf-8")


def check(folder: Path) -> None:
    """Raise Invalid, naming what is missing, if a folder is not laid out as `lay_out` does it."""
    names = ["platemap.csv", *(f"images/{image.stem}.tif" for image in plate_images())]
    problems = [Problem("the file is missing", file=name) for name in names if not (folder / name).is_file()]
    if not problems and (folder / "platemap.csv").read_text(encoding="utf-8") != plate_map():
        problems = [Problem("this is not the plate map that gandl writes", file="platemap.csv")]
    raise_if(problems, Invalid, f"{folder} is not a complete BBBC013")


def _content(row: int, column: int) -> Content:
    """Return role, compound and concentration of a well."""
    is_wortmannin = row <= len(ROWS) // 2
    doses = _WORTMANNIN_UM if is_wortmannin else _LY294002_UM
    if _FIRST_DOSE_COLUMN <= column < _FIRST_DOSE_COLUMN + len(doses):
        return "treatment", "Wortmannin" if is_wortmannin else "LY294002", doses[column - _FIRST_DOSE_COLUMN]
    # Each compound has the positive control at the end of its rows that the other compound leaves to negatives.
    return _POSITIVE if column == (COLUMNS if is_wortmannin else 1) else _NEGATIVE


def _files_by_image(source: Path) -> dict[PlateImage, Path]:
    """Return the file of every image. Raises Invalid naming missing files, and two files for one image."""
    files: dict[PlateImage, Path] = {}
    problems: list[Problem] = []
    for image, path in _matching_files(source):
        if image in files:
            problems.append(Problem(f"this is the same image as {files[image].name}", file=path.name))
        files[image] = path
    expected = plate_images()
    problems += [Problem("the image is missing", file=f"{image.stem}.BMP") for image in expected if image not in files]
    raise_if(problems, Invalid, f"BBBC013 has {len(expected)} images, but those of the source are not complete")
    return {image: files[image] for image in expected}


def _matching_files(source: Path) -> Iterator[tuple[PlateImage, Path]]:
    for path in sorted(source.rglob("*")):
        match = _IMAGE_NAME.fullmatch(path.name)
        # Links are passed over, so that a folder cannot bring in files from elsewhere.
        if match and path.is_file() and not path.is_symlink():
            row, column = ROWS.index(match["row"].upper()) + 1, int(match["column"])
            yield PlateImage(channel=int(match["channel"]), row=row, column=column), path


def _read_bmp(path: Path, edge: int) -> Pixels:
    """Return the grey values [edge, edge] of a BMP file. Raises InvalidImage."""
    try:
        with Image.open(path, formats=["BMP"]) as picture:
            # The size is checked before the pixels are decoded, so that no header can ask for a huge array.
            if picture.size != (edge, edge):
                raise InvalidImage(f"{path.name} has {picture.size[0]}×{picture.size[1]} pixels, not {edge}×{edge}")
            pixels = np.asarray(picture if picture.mode in ("L", "RGB") else picture.convert("RGB"))
    except (UnidentifiedImageError, OSError, ValueError, SyntaxError) as error:
        raise InvalidImage(f"{path.name} is not a BMP image that can be decoded: {error}") from error
    # Some tools write grey BMP files with three equal channels.
    if pixels.ndim == 2:
        return pixels
    if (pixels != pixels[..., :1]).any():
        raise InvalidImage(f"{path.name} has colours; the images of BBBC013 are grey")
    return np.ascontiguousarray(pixels[..., 0])


def _check_tiff(path: Path, edge: int) -> None:
    try:
        pixels = read_site([path])
    except GandlError as error:
        raise InvalidImage(error.detail) from error
    if pixels.shape != (1, edge, edge) or pixels.dtype != np.uint8:
        raise InvalidImage(f"{path.name} is not an image of one channel, {edge}×{edge} pixels and 8 bits")
