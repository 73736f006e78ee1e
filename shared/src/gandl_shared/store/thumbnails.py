"""Thumbnails: one small picture per site, made while the site is embedded, in memory and as Parquet.

They are grey levels under the intensity limits of the plate, one image per channel, so that any channels can be laid
over each other later in any colours. They stay when the image files have moved. A site takes a few kilobytes: a picture
of the field with edges of at most THUMBNAIL_EDGE pixels, and one of its most typical tile.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image

from gandl_shared.errors import Malformed
from gandl_shared.plates import SiteId

THUMBNAIL_EDGE = 128
"""The longest edge of a thumbnail in pixels."""
_QUALITY = 80
_BLOCK = 8
"""The edge of the blocks in which JPEG compresses."""
_PARTS = ("field", "tile")
_ID = ("plate", "well", "site")
_NUMBERS = ("height", "width", "y", "x", "channels", "field_height", "field_width", "tile_height", "tile_width")
_TYPES = {
    **{f"Metadata_{name}": pa.string() for name in (*_ID, "key")},
    **{name: pa.int32() for name in _NUMBERS},
    "field": pa.binary(),
    "tile": pa.binary(),
}

Uint8 = NDArray[np.uint8]


@dataclass(frozen=True, kw_only=True)
class GreyPicture:
    """The channels of a picture as they are stored: one JPEG of all channels [C, height, width], one below the other.

    Every channel begins at a block of JPEG, so that no channel shines into the next one.
    """

    channels: int
    height: int
    width: int
    jpeg: bytes

    @classmethod
    def of(cls, picture: Uint8) -> GreyPicture:
        """Return a picture [C, H, W] as it is stored."""
        channels, height, width = picture.shape
        padded = np.pad(picture, ((0, 0), (0, -height % _BLOCK), (0, 0)), mode="edge")
        buffer = io.BytesIO()
        Image.fromarray(padded.reshape(-1, width)).save(buffer, "JPEG", quality=_QUALITY)
        return cls(channels=channels, height=height, width=width, jpeg=buffer.getvalue())

    def pixels(self, edge: int = THUMBNAIL_EDGE) -> Uint8:
        """Return the picture [C, H, W], halved as often as its longer edge stays at least `edge` pixels long.

        Raises Malformed if it is damaged.
        """
        rows = self.height + -self.height % _BLOCK
        try:
            image = Image.open(io.BytesIO(self.jpeg), formats=["JPEG"])
            if image.size != (self.width, rows * self.channels) or image.mode != "L":
                raise Malformed(f"a thumbnail of {self.channels}×{self.height}×{self.width} pixels has another size")
            factor = self._factor(edge)
            if factor > 1:
                # JPEG is decoded at a fraction of its size in a fraction of the time.
                image.draft("L", (-(-self.width // factor), rows * self.channels // factor))
            stacked: Uint8 = np.asarray(image)
        except (OSError, SyntaxError) as error:
            raise Malformed(f"a thumbnail cannot be decoded: {error}") from error
        height = -(-self.height // factor)
        return stacked.reshape(self.channels, rows // factor, stacked.shape[1])[:, :height]

    def _factor(self, edge: int) -> int:
        longest = max(self.height, self.width)
        return max(factor for factor in (1, 2, 4, _BLOCK) if factor == 1 or longest >= factor * edge)


@dataclass(frozen=True, kw_only=True)
class Thumbnail:
    """The small pictures of a site.

    `key` is the identity of its vectors. `height` and `width` are those of the image file; `y`, `x` is the upper left
    corner of the typical `tile` in pixels of the file: of all tiles of the site, its vector is nearest to their median.
    """

    site: SiteId
    key: str
    height: int
    width: int
    y: int
    x: int
    field: GreyPicture
    tile: GreyPicture


def typical_tile(vectors: NDArray[np.float32]) -> int:
    """Return the number of the vector of [N, F] that is nearest to their median, the first of equally near ones."""
    distances = np.square(vectors - np.median(vectors, axis=0)).sum(axis=1)
    return int(np.argmin(distances))


def write_thumbnails(file: BinaryIO, thumbnails: Iterable[Thumbnail]) -> None:
    """Write Parquet with one row per site."""
    rows = [_row(thumbnail) for thumbnail in thumbnails]
    columns = {name: pa.array([row[name] for row in rows], kind) for name, kind in _TYPES.items()}
    # JPEG does not compress any further, and statistics of pictures serve nobody.
    pq.write_table(pa.table(columns), file, write_statistics=False, compression="none")


def read_thumbnails(file: BinaryIO) -> tuple[Thumbnail, ...]:
    """Read a file of `write_thumbnails`. Raises Malformed if it is none."""
    try:
        table = pq.ParquetFile(file).read(use_threads=False)
        missing = [name for name in _TYPES if name not in table.column_names]
        if missing:
            raise Malformed(f"the file has no thumbnails: column {missing[0]} is missing")
        # A column that may hold nothing cannot become one that must hold something.
        fields = [pa.field(name, kind, nullable=False) for name, kind in _TYPES.items()]
        rows = table.select(list(_TYPES)).cast(pa.schema(fields)).to_pylist()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, ValueError) as error:
        raise Malformed(f"the file has no thumbnails: {str(error).splitlines()[0]}") from error
    return tuple(_thumbnail(row) for row in rows)


def _row(thumbnail: Thumbnail) -> dict[str, str | int | bytes]:
    return {
        **{f"Metadata_{name}": getattr(thumbnail.site, name) for name in _ID},
        "Metadata_key": thumbnail.key,
        **{name: getattr(thumbnail, name) for name in ("height", "width", "y", "x")},
        "channels": thumbnail.field.channels,
        **{
            f"{part}_{edge}": getattr(getattr(thumbnail, part), edge) for part in _PARTS for edge in ("height", "width")
        },
        **{part: getattr(thumbnail, part).jpeg for part in _PARTS},
    }


def _thumbnail(row: Mapping[str, Any]) -> Thumbnail:  # Any: texts, numbers and bytes by the types of the columns
    pictures = {
        part: GreyPicture(
            channels=row["channels"], height=row[f"{part}_height"], width=row[f"{part}_width"], jpeg=row[part]
        )
        for part in _PARTS
    }
    # A folder may come from anybody, and a picture of another size could fill the memory.
    if any(not 0 < edge <= THUMBNAIL_EDGE for p in pictures.values() for edge in (p.channels, p.height, p.width)):
        raise Malformed(f"a thumbnail has more than {THUMBNAIL_EDGE} pixels on an edge; screen the images again")
    return Thumbnail(
        site=SiteId(*(row[f"Metadata_{name}"] for name in _ID)),
        key=row["Metadata_key"],
        height=row["height"],
        width=row["width"],
        y=row["y"],
        x=row["x"],
        **pictures,
    )
