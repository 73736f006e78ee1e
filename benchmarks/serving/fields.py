"""Measure what whole fields cost by `POST /embed`; `make bench-embedding` writes it into docs/embedding-speed.md.

One client sends the same field again and again to a service whose engine costs nothing. The steps that no service can
leave out (reading the form or the array, decoding, preparing) are measured alone, in this process, in the same run.
All times but those of `Server-Timing` are processor times.
"""

from __future__ import annotations

import argparse
import asyncio
import io
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from statistics import median

import httpx
import numpy as np
import tifffile
from gandl_embedding.inputs import IMAGE, RequestLimits, Upload, read_form, tiles_of_array
from gandl_embedding.inputs.tiles import tiles_of_uploads
from gandl_shared.clients.wire import NPY, SERVER_TIMING, from_npy, to_npy
from gandl_shared.imaging import open_images
from gandl_shared.models import ModelCard
from numpy.typing import NDArray
from starlette.datastructures import Headers

from benchmarks.serving.__main__ import MODEL, processor_seconds, serving
from benchmarks.tables import row, write_between

REPEATS = 20
LIMITS = RequestLimits(max_pixels=2**26, max_tiles=4096, allow_clipping=True)


@dataclass(frozen=True, kw_only=True)
class Form:
    """Fields of one kind: channels and edge in pixels, the type of a pixel, and the model that takes them."""

    name: str
    channels: int
    edge: int
    kind: type[np.unsignedinteger]
    model: Path

    @property
    def field(self) -> NDArray[np.unsignedinteger]:
        """A field [C, H, W] of noise around a level."""
        top = int(np.iinfo(self.kind).max)
        noise = np.random.default_rng(0).normal(top / 10, top / 80, (self.channels, self.edge, self.edge))
        return noise.clip(0, top).astype(self.kind)


FORMS = (
    Form(name="2 channels of 640², 8 bit (BBBC013)", channels=2, edge=640, kind=np.uint8, model=MODEL),
    Form(
        name="5 channels of 1080², 16 bit",
        channels=5,
        edge=1080,
        kind=np.uint16,
        model=MODEL.with_name("gandl-sim5-64.onnx"),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Request:
    """A request with one field, and the same steps without a service."""

    body: bytes
    media: str
    read: Callable[[], object]
    decode: Callable[[], object]
    whole: Callable[[], object]


def as_tiff(field: NDArray[np.unsignedinteger], card: ModelCard) -> Request:
    """Return a field as a form with one TIFF."""
    file = io.BytesIO()
    tifffile.imwrite(file, field, photometric="minisblack", metadata={"axes": "CYX"}, ome=True)
    form = httpx.Request("POST", "http://localhost", files={IMAGE: ("field.tif", file.getvalue())})
    headers, upload = Headers(dict(form.headers)), Upload(field=IMAGE, filename="field.tif", content=file.getvalue())

    def decode() -> None:
        with open_images(io.BytesIO(upload.content), upload.filename, 512) as images:
            images[0].read()

    body = form.read()
    return Request(
        body=body,
        media=form.headers["Content-Type"],
        read=lambda: asyncio.run(read_form(headers, body, 10)),
        decode=decode,
        whole=lambda: tiles_of_uploads([upload], card, None, LIMITS),
    )


def as_npy(field: NDArray[np.unsignedinteger], card: ModelCard) -> Request:
    """Return a field as an array."""
    body = to_npy(field[None])
    return Request(
        body=body,
        media=NPY,
        read=lambda: from_npy(body),
        decode=lambda: None,
        whole=lambda: tiles_of_array(from_npy(body), card, None, LIMITS),
    )


def milliseconds(work: Callable[[], object]) -> float:
    """Return the median processor time of one call."""
    times = []
    for _ in range(REPEATS):
        start = time.process_time()
        work()
        times.append(time.process_time() - start)
    return 1000 * median(times)


def line(form: Form, name: str, request: Request) -> str:
    """Return the row of a kind of field in one form."""
    read, decode, whole = (milliseconds(work) for work in (request.read, request.decode, request.whole))
    stages, used = _stages(form, request)
    cells = (f"{value:.1f}" for value in (*stages, used, read, decode, whole - decode, read + whole))
    return row(form.name, name, f"{len(request.body) / 1e6:.1f}", *cells, f"{used / (read + whole):.2f}")


def _stages(form: Form, request: Request) -> tuple[tuple[float, ...], float]:
    """Return the medians of the stages in a header of the service, and its processor time, in ms per request."""
    with serving("free", form.model) as (port, (pid,)), httpx.Client(timeout=60) as client:

        def send() -> tuple[float, ...]:
            headers = {"Content-Type": request.media, "Accept": NPY}
            url = f"http://127.0.0.1:{port}/embed?allow_clipping=true"
            answer = client.post(url, content=request.body, headers=headers).raise_for_status()
            return tuple(map(float, re.findall(r"dur=([\d.]+)", answer.headers[SERVER_TIMING])))

        send()
        decoders = [
            each for task in Path(f"/proc/{pid}/task").iterdir() for each in (task / "children").read_text().split()
        ]
        family = (pid, *map(int, decoders))
        before = processor_seconds(family)
        stages = [send() for _ in range(REPEATS)]
        used = processor_seconds(family) - before
    return tuple(map(median, zip(*stages, strict=True))), 1000 * used / REPEATS


def main() -> None:
    """Print the table, and write it into a page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    headings = ("field", "body", "MB", "decode", "queue", "compute", "processor", "read", "decode", "prepare", "sum")
    lines = [row(*headings, "of the service"), row(*["---"] * 12)]
    for form in FORMS:
        card = ModelCard.model_validate_json(form.model.with_suffix(".card.json").read_text())
        for name, kind in (("TIFF in a form", as_tiff), (".npy", as_npy)):
            lines.append(line(form, name, kind(form.field, card)))
    print(text := "\n".join(lines))
    if options.page is not None:
        write_between(options.page, "embedding-fields", text)


if __name__ == "__main__":
    main()
