"""What a site costs a worker and a model on one core, and its vectors: `python -m benchmarks.services.sizing`.

All times are processor times, which other programs on the machine change little. Images are noise around a level, which
is the worst case for every compression.
"""

from __future__ import annotations

import argparse
import io
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import tifffile
from gandl.released_models import released_models
from gandl_embedding.engine import Engine
from gandl_shared.imaging import Preprocessing, SiteMetrics
from gandl_shared.plates import Site, SiteId
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.store import site_profiles, write_batch
from gandl_worker.sites import SiteTiles, load
from PIL import Image

from benchmarks.tables import row, write_between

MODELS = ("gandl-bbbc013-64", "gandl-sim5-64")
TILES = 256
VECTORS = 10_000


@dataclass(frozen=True, kw_only=True)
class Plate:
    """Images of one kind: channels and edge in pixels, the type of a pixel, and the kind of file."""

    name: str
    channels: int
    edge: int
    kind: type[np.unsignedinteger]
    suffix: str


PLATES = (
    Plate(name="2 channels of 640², 8 bit, TIFF (BBBC013)", channels=2, edge=640, kind=np.uint8, suffix=".tif"),
    Plate(name="5 channels of 1024², 8 bit, PNG (RxRx19a)", channels=5, edge=1024, kind=np.uint8, suffix=".png"),
    Plate(name="5 channels of 1080², 16 bit, TIFF", channels=5, edge=1080, kind=np.uint16, suffix=".tif"),
    Plate(name="5 channels of 2160², 16 bit, TIFF", channels=5, edge=2160, kind=np.uint16, suffix=".tif"),
)


def processor_ms(work: Callable[[], object], repeats: int) -> float:
    """Return the milliseconds of processor time of one call, after a first one that does not count."""
    work()
    start = time.process_time()
    for _ in range(repeats):
        work()
    return (time.process_time() - start) * 1000 / repeats


def write_site(folder: Path, plate: Plate) -> Site:
    """Write the images of one site."""
    random, top = np.random.default_rng(0), int(np.iinfo(plate.kind).max)
    names = tuple(f"c{n}{plate.suffix}" for n in range(plate.channels))
    for name in names:
        image = random.normal(top / 10, top / 80, (plate.edge, plate.edge)).clip(0, top).astype(plate.kind)
        if plate.suffix == ".png":
            Image.fromarray(image).save(folder / name)
        else:
            tifffile.imwrite(folder / name, image)
    return Site(plate="P1", well="A01", site="1", root=folder, names=names)


def loading(plate: Plate) -> str:
    """Return a row: what loading a site costs, and how many tiles of 64 pixels it gives."""
    with tempfile.TemporaryDirectory() as folder:
        site = write_site(Path(folder), plate)
        top = float(np.iinfo(plate.kind).max)
        limits = IntensityLimits(low=(0.0,) * plate.channels, high=(top / 5,) * plate.channels)
        preprocessing = Preprocessing(limits=limits, size=64, downscale=2)
        result = load(site, preprocessing, "0" * 64, None)
        assert isinstance(result, SiteTiles)
        cost = processor_ms(lambda: load(site, preprocessing, "0" * 64, None), 10)
    return row(plate.name, len(result.tiles), f"{cost:.0f}", f"{1000 / cost:.0f}")


def embedding(name: str) -> str:
    """Return a row: tiles per second of one core."""
    engine = Engine.load(released_models() / f"{name}.onnx", threads=1)
    channels, size = len(engine.card.channels), engine.card.size
    tiles = np.random.default_rng(0).integers(0, 256, (TILES, channels, size, size), np.uint8)
    cost = processor_ms(lambda: engine.embed(tiles), 2)
    return row(f"`{name}`, {channels} channels", f"{cost / TILES:.2f}", f"{TILES * 1000 / cost:.0f}")


def bytes_per_vector() -> float:
    """Return the bytes of a vector of 512 numbers in the store, with the metadata of its tile."""
    metrics = SiteMetrics(
        **dict.fromkeys(("sharpness", "saturated", "structure", "stripes", "similarity"), np.ones(2, np.float32))
    )
    vectors = np.random.default_rng(0).normal(size=(VECTORS, 512)).astype(np.float32)
    origins, contrast = [(n, n) for n in range(VECTORS)], np.ones(VECTORS, np.float32)
    buffer = io.BytesIO()
    write_batch(buffer, site_profiles(SiteId("P1", "A01", "1"), origins, "0" * 64, vectors, metrics, contrast))
    return len(buffer.getvalue()) / VECTORS


def report() -> str:
    """Return all tables in Markdown."""
    size = bytes_per_vector()
    return "\n".join(
        [
            row("images of a site", "tiles of 64", "loading, ms of a core", "sites/s per core"),
            "|---|---|---|---|",
            *map(loading, PLATES),
            "",
            row("model on one core", "ms per tile", "tiles/s"),
            "|---|---|---|",
            *map(embedding, MODELS),
            "",
            f"A vector of 512 numbers takes {size:.0f} bytes in the store: {1e9 / size:,.0f} vectors per GB.",
        ]
    )


def main() -> None:
    """Print the tables and write them into a page."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--page", type=Path, help="page of docs/ whose tables are written again")
    page = parser.parse_args().page
    text = report()
    print(text)
    if page is not None:
        write_between(page, "sizing", text)


if __name__ == "__main__":
    main()
