"""Fakes and small inputs for tests: a deterministic embedder, plates on disk, OME-TIFFs, ports and processes."""

from __future__ import annotations

import contextlib
import csv
import io
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import quoteattr

import numpy as np
import tifffile
from numpy.typing import NDArray

from gandl_shared.db import ModelUse, NewScreen
from gandl_shared.models import Channel, ModelCard, TrainingRecord
from gandl_shared.models.numerics import Numerics
from gandl_shared.plates import PlateMap, Role, Site, Well, read_plate_map
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.screen import ScreenRequest

FEATURES = 512
FAKE_NUMERICS = Numerics(provider="numpy", precision="float32", device="any", runtime="fake", batch="1")
PATIENCE = 180.0
"""Seconds that a test waits for what must happen, so that a busy machine fails no test."""
Sizes = tuple[int, int]


def fake_card(
    channels: int = 2, *, size: int = 16, downscale: int = 1, features: int = FEATURES, name: str = "fake"
) -> ModelCard:
    """Return a model card that is as small as possible."""
    training = TrainingRecord(data="none", licence="none", kimg=0, seed=0, command="none", version="0")
    return ModelCard(
        name=name,
        channels=tuple(Channel(name=f"c{i + 1}", low=0, high=255) for i in range(channels)),
        size=size,
        downscale=downscale,
        features=features,
        tap="fc",
        parameters=0,
        training=training,
    )


class FakeEmbedder:
    """An embedder that projects the pixels at random, in the same way in every process.

    `before` is called with each batch of tiles; in a test it may wait or fail. `calls` and `tiles` count the work.
    """

    def __init__(
        self, card: ModelCard | None = None, *, before: Callable[[NDArray[np.uint8]], None] = lambda _: None
    ) -> None:
        self._card = card or fake_card()
        self._before = before
        pixels = len(self._card.channels) * self._card.size**2
        generator = np.random.default_rng(20261124)
        self._weights = generator.standard_normal((pixels, self._card.features), np.float32) / np.float32(pixels)
        self.calls = 0
        self.tiles = 0

    @property
    def card(self) -> ModelCard:
        """The card of the constructor."""
        return self._card

    @property
    def model_id(self) -> str:
        """A hash that no file has."""
        return "0" * 63 + "1"

    @property
    def numerics(self) -> Numerics:
        """Those of no library."""
        return FAKE_NUMERICS

    def embed(self, tiles: NDArray[np.uint8]) -> NDArray[np.float32]:
        """Return vectors [N, features] of tiles [N, C, size, size], one by one, so that other tiles cannot matter."""
        self._before(tiles)
        self.calls += 1
        self.tiles += len(tiles)
        flat = tiles.reshape(len(tiles), -1).astype(np.float32)
        return np.stack([row @ self._weights for row in flat])


@dataclass(frozen=True)
class PlateFolder:
    """A small plate on disk: a folder of images with names by the pattern `gandl`, and its plate map."""

    images: Path
    platemap: Path

    @property
    def plate_map(self) -> PlateMap:
        """The plate map, read from its file."""
        return read_plate_map(self.platemap)

    def image(self, well: str, *, plate: str = "P1", site: int = 1, channel: int = 1) -> Path:
        """Return the path of an image."""
        return self.images / plate / f"{well}_s{site}_w{channel}.tif"


@dataclass(frozen=True, kw_only=True)
class Layout:
    """The plates that `write_plate` writes: rows and columns of each, sites per well, edge of an image in pixels."""

    plates: Sequence[str] = ("P1",)
    rows: str = "ABCD"
    columns: int = 3
    sites: int = 1
    channels: int = 2
    size: int = 32
    seed: int = 0


def write_plate(folder: Path, layout: Layout | None = None) -> PlateFolder:
    """Write plates whose wells get brighter from negative controls (column 1) to positive controls (last column).

    The columns between have compound `X` at rising doses. All wells are of cell line `U2OS`.
    """
    layout = layout or Layout()
    generator = np.random.default_rng(layout.seed)
    records: list[dict[str, object]] = []
    for plate in layout.plates:
        (folder / "Images" / plate).mkdir(parents=True, exist_ok=True)
        for letter in layout.rows:
            for column in range(1, layout.columns + 1):
                well = f"{letter}{column:02d}"
                records.append(_record(plate, well, column, layout.columns))
                _write_well(folder / "Images" / plate, well, 60 + 100 * column / layout.columns, layout, generator)
    platemap = folder / "platemap.csv"
    write_platemap(platemap, records)
    return PlateFolder(folder / "Images", platemap)


def write_platemap(path: Path, records: Sequence[Mapping[str, object]]) -> None:
    """Write a plate map as CSV, one record per well."""
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, fieldnames=list(records[0]))
        writer.writeheader()
        writer.writerows(records)


class FileGuard:
    """Prevents the code under test from opening a file under any name, and reports an attempt.

    It adds a hook to the interpreter that cannot be removed, so one guard is enough for all tests of a process.
    """

    def __init__(self) -> None:
        self._guarded: frozenset[str] = frozenset()
        self._opened: list[str] = []
        sys.addaudithook(self._audit)

    @contextlib.contextmanager
    def guarding(self, *paths: Path) -> Iterator[None]:
        """Make every attempt to open one of the files fail; raise AssertionError at the end if there was an attempt."""
        self._opened.clear()
        self._guarded = frozenset(os.path.realpath(path) for path in paths)
        try:
            yield
        finally:
            self._guarded = frozenset()
        assert not self._opened, f"opened: {', '.join(self._opened)}"

    def _audit(self, event: str, arguments: tuple[object, ...]) -> None:
        if event != "open" or not self._guarded or not isinstance(arguments[0], str | bytes | os.PathLike):
            return
        name = os.fsdecode(arguments[0])
        if os.path.realpath(name) in self._guarded:
            self._opened.append(name)
            raise PermissionError(f"{name} is guarded by a test")


def ome_tiff(planes: NDArray[np.uint16], *, elsewhere: str | None = None) -> bytes:
    """Return an OME-TIFF of planes [C, H, W]. With `elsewhere` it names as many further channels in that file."""
    pages = range(len(planes))
    own = "".join(f'<TiffData IFD="{i}" FirstC="{i}" PlaneCount="1">{_uuid(1, "own")}</TiffData>' for i in pages)
    further = "".join(
        f'<TiffData IFD="{i}" FirstC="{len(planes) + i}" PlaneCount="1">{_uuid(2, elsewhere)}</TiffData>' for i in pages
    )
    channels = len(planes) * (1 if elsewhere is None else 2)
    sizes = f'SizeC="{channels}" SizeZ="1" SizeT="1" SizeY="{planes.shape[1]}" SizeX="{planes.shape[2]}"'
    pixels = f'<Pixels ID="Pixels:0" DimensionOrder="XYCZT" Type="uint16" {sizes}>'
    image = f'<Image ID="Image:0">{pixels}{own}{"" if elsewhere is None else further}</Pixels></Image>'
    return described_tiff(planes, f'<OME UUID="urn:uuid:1">{image}</OME>')


def binary_only_tiff(planes: NDArray[np.uint16], elsewhere: str) -> bytes:
    """Return an OME-TIFF of planes [C, H, W] whose description is in the file `elsewhere`."""
    only = f'<BinaryOnly MetadataFile={quoteattr(elsewhere)} UUID="urn:uuid:2"/>'
    return described_tiff(planes, f'<OME UUID="urn:uuid:1">{only}</OME>')


def described_tiff(planes: NDArray[np.uint16], description: str) -> bytes:
    """Return a TIFF of planes [C, H, W], one per page, with this description on its first page."""
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, planes, photometric="minisblack", metadata=None, description=description)
    return buffer.getvalue()


def _uuid(number: int, file: str | None) -> str:
    return f"<UUID FileName={quoteattr(file or '')}>urn:uuid:{number}</UUID>"


def new_screen(wells: int = 6, *, sites: int = 1, sites_per_batch: int = 1, name: str = "screen") -> NewScreen:
    """Return a screen without images: plate `P1` with `wells` wells (at most 24) of `sites` fields each."""
    roles = [Role.NEGATIVE, Role.POSITIVE, *[Role.TREATMENT] * wells][:wells]
    names = [f"{letter}{column:02d}" for letter in "ABCD" for column in range(1, 7)][:wells]
    doses = [None, None, *[1.5] * wells][:wells]
    rows = tuple(
        Well(
            plate="P1",
            well=well,
            role=role,
            compound="X" if dose else None,
            concentration_um=dose,
            cell_line="U2OS",
            table_row=n,
            metadata={"batch": "b1"},
        )
        for n, (well, role, dose) in enumerate(zip(names, roles, doses, strict=True), start=2)
    )
    return NewScreen(
        name=name,
        images=Path("/images"),
        model=ModelUse(name="fake", id="0" * 63 + "1", size=16, downscale=1),
        request=ScreenRequest(name=name, images="images", plate_map="map.csv"),
        plate_map=PlateMap(rows, "map.csv"),
        limits={"P1": IntensityLimits(low=(0.0, 1.5), high=(255.0, 200.25))},
        sites=tuple(
            Site(plate="P1", well=w, site=str(s), root=Path("/images"), names=(f"{w}_s{s}.tif",))
            for w in names
            for s in range(sites)
        ),
        sites_per_batch=sites_per_batch,
    )


def free_port() -> int:
    """Return a TCP port of 127.0.0.1 that was free at the time of the call."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], bool], *, what: str, seconds: float = PATIENCE, every: float = 0.05) -> None:
    """Wait until a condition holds. Raises TimeoutError, which names `what` was expected."""
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            raise TimeoutError(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)


@contextlib.contextmanager
def process(
    command: Sequence[str], *, log: Path, environment: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a child process with its output in a file. At the end of the block it gets SIGTERM and after 10 s SIGKILL."""
    with log.open("ab") as output:
        child = subprocess.Popen(
            list(command),
            stdout=output,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **(environment or {})},
        )
        try:
            yield child
        finally:
            stop(child)


def stop(child: subprocess.Popen[bytes], *, seconds: float = 10.0) -> None:
    """Stop a child process by SIGTERM, after `seconds` by SIGKILL, and wait for its end."""
    if child.poll() is None:
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(seconds)
        except subprocess.TimeoutExpired:
            child.kill()
    child.wait()


def _record(plate: str, well: str, column: int, columns: int) -> dict[str, object]:
    role = Role.NEGATIVE if column == 1 else Role.POSITIVE if column == columns else Role.TREATMENT
    treated = role is Role.TREATMENT
    return {
        "plate": plate,
        "well": well,
        "role": role.value,
        "compound": "X" if treated else "",
        "concentration_um": 10.0 ** (column - columns) if treated else "",
        "cell_line": "U2OS",
    }


def _write_well(folder: Path, well: str, level: float, layout: Layout, generator: np.random.Generator) -> None:
    """Write the images of a well: noise and, as cells, squares of 8 pixels, since QC takes noise for an empty well."""
    for site in range(1, layout.sites + 1):
        for channel in range(1, layout.channels + 1):
            noise = generator.normal(level, 12, (layout.size, layout.size))
            cells = generator.choice([-25, 25], (-(-layout.size // 8),) * 2).repeat(8, axis=0).repeat(8, axis=1)
            pixels = (noise + cells[: layout.size, : layout.size]).clip(0, 255).astype(np.uint8)
            tifffile.imwrite(folder / f"{well}_s{site}_w{channel}.tif", pixels)
