"""Precisions of the arithmetic: how near int8 and bfloat16 come to float32 on BBBC013, and what they save.

    python -m benchmarks.serving.precision --bbbc013 ../shared/data/bbbc013 --page docs/precision.md

Tiles are cut once. Each form of the model embeds them, and Z′ comes from the same analysis as in `gandl screen`. int8
is calibrated on tiles of the plate itself, which is the best case. Seconds are those of the processor.
"""

from __future__ import annotations

import argparse
import resource
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import onnx
import onnxruntime as ort
from gandl.screening.model_comparison import smallest_cosine
from gandl.screening.run import ScreenJob, run
from gandl_analysis.formats.reread import read_folder
from gandl_analysis.pipeline.analyse import analyse
from gandl_embedding.engine import Engine, Precision
from gandl_shared.errors import Unavailable
from gandl_shared.models import ModelCard, Numerics
from gandl_shared.schemas.analysis import AnalysisParameters
from numpy.typing import NDArray
from onnxruntime.quantization import CalibrationDataReader, CalibrationMethod, QuantFormat, QuantType, quantize_static
from onnxruntime.quantization.shape_inference import quant_pre_process

from benchmarks.tables import write_between

MIN_COSINE, MAX_LOSS = 0.999, 0.02
"""int8 is offered only with this smallest cosine to float32 and at most this change of Z′."""
CALIBRATION_TILES, TIMED_TILES = 64, 64

Uint8, Float32 = NDArray[np.uint8], NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Int8:
    """A way to quantise: the range of activations, and how many convolutions at each end stay float32.

    `narrow` weights have 7 bits: without VNNI, products of 8 bits saturate when they are added in pairs.
    """

    name: str
    method: CalibrationMethod
    first: int = 1
    last: int = 0
    narrow: bool = False


class CalibrationBatches(CalibrationDataReader):
    """The calibration tiles as ONNX Runtime reads them: one batch per call, and None at the end."""

    def __init__(self, name: str, tiles: Uint8) -> None:
        self._batches = iter([{name: tiles[i : i + 32]} for i in range(0, len(tiles), 32)])

    def get_next(self) -> dict[str, Uint8] | None:
        """Return the next batch by the name of the input."""
        return next(self._batches, None)


WAYS = (
    Int8(name="int8, range", method=CalibrationMethod.MinMax),
    Int8(name="int8, range, 7-bit weights", method=CalibrationMethod.MinMax, narrow=True),
    Int8(name="int8, percentile, 7-bit weights", method=CalibrationMethod.Percentile, last=1, narrow=True),
    Int8(name="int8, entropy, 7-bit weights", method=CalibrationMethod.Entropy, last=1, narrow=True),
    Int8(
        name="int8, percentile, first block and last block in float",
        method=CalibrationMethod.Percentile,
        first=4,
        last=3,
    ),
    Int8(name="int8, percentile, first half in float", method=CalibrationMethod.Percentile, first=6, narrow=True),
)


@dataclass
class Recorder:
    """A model that remembers the tiles it was asked for."""

    engine: Engine
    tiles: list[Uint8] = field(default_factory=list)

    @property
    def card(self) -> ModelCard:
        """The card of the model."""
        return self.engine.card

    @property
    def model_id(self) -> str:
        """SHA-256 of the model file."""
        return self.engine.model_id

    @property
    def numerics(self) -> Numerics:
        """How the model computes."""
        return self.engine.numerics

    def embed(self, tiles: Uint8) -> Float32:
        """Return the vectors of tiles, and remember the tiles."""
        self.tiles.append(tiles)
        return self.engine.embed(tiles)


def main() -> None:
    """Compare the precisions of a model on BBBC013 and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bbbc013", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=Path("models/gandl-bbbc013-64.onnx"))
    parser.add_argument("--page", type=Path)
    options = parser.parse_args()
    lines = []
    for line in table(options.model, options.bbbc013):
        print(line, flush=True)
        lines.append(line)
    if options.page is not None:
        write_between(options.page, "precisions", "\n".join(lines))


def table(model: Path, data: Path) -> Iterator[str]:
    """Yield the lines of the table, one row per form of the model."""
    yield "| form | smallest cosine to float32 | Z′ | tiles per processor second | offered |"
    yield "|---|---|---|---|---|"
    recorder = Recorder(Engine.load(model, threads=1))
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "screen"
        run(ScreenJob(images=data / "images", plate_map=data / "platemap.csv", out=out), recorder)
        screen = read_folder(out, AnalysisParameters())
        tiles, expected = np.concatenate(recorder.tiles), screen.profiles.vectors

        def z_prime(vectors: Float32) -> float | None:
            changed = replace(screen, profiles=replace(screen.profiles, vectors=vectors))
            (quality,) = analyse(changed).analysis.quality.cell_lines.values()
            return quality.z_prime

        reference = z_prime(expected)
        yield _row("float32", None, reference, speed(recorder.engine.embed, tiles), offered=True)
        for name, embed in forms(model, tiles):
            vectors = np.concatenate([embed(tiles[i : i + 16]) for i in range(0, len(tiles), 16)])
            cosine, own = smallest_cosine(expected, vectors), z_prime(vectors)
            near = own is not None and reference is not None and abs(own - reference) <= MAX_LOSS
            offered = near and cosine is not None and cosine >= MIN_COSINE
            yield _row(name, cosine, own, speed(embed, tiles), offered=offered)


def forms(model: Path, tiles: Uint8) -> Iterator[tuple[str, Callable[[Uint8], Float32]]]:
    """Yield each form of a model by its name, as a function of tiles."""
    try:
        yield "bfloat16, OpenVINO", Engine.load(model, threads=1, precision=Precision.BFLOAT16).embed
    except Unavailable as error:
        print(error.detail)
    sample = tiles[np.linspace(0, len(tiles) - 1, CALIBRATION_TILES).astype(int)]
    with tempfile.TemporaryDirectory() as folder:
        inferred = Path(folder) / "inferred.onnx"
        quant_pre_process(model, inferred)
        for number, way in enumerate(WAYS):
            yield way.name, session(quantised(inferred, Path(folder) / f"{number}.onnx", way, sample))


def quantised(source: Path, out: Path, way: Int8, sample: Uint8) -> Path:
    """Write the model in int8 and return its file."""
    graph = onnx.load(source).graph
    convolutions = [node.name for node in graph.node if node.op_type == "Conv"]
    quantize_static(
        source,
        out,
        CalibrationBatches(graph.input[0].name, sample),
        quant_format=QuantFormat.QDQ,
        per_channel=True,
        reduce_range=way.narrow,
        weight_type=QuantType.QInt8,
        activation_type=QuantType.QUInt8,
        op_types_to_quantize=["Conv"],
        nodes_to_exclude=[*convolutions[: way.first], *(convolutions[-way.last :] if way.last else [])],
        calibrate_method=way.method,
    )
    return out


def session(path: Path) -> Callable[[Uint8], Float32]:
    """Return a model file as a function of tiles, on one thread."""
    options = ort.SessionOptions()
    options.intra_op_num_threads = 1
    opened = ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])
    name = opened.get_inputs()[0].name

    def embed(tiles: Uint8) -> Float32:
        vectors: Float32 = opened.run(None, {name: tiles})[0]
        return vectors

    return embed


def speed(embed: Callable[[Uint8], Float32], tiles: Uint8, batches: Sequence[int] = (1, 2, 16)) -> float:
    """Return the tiles per second of the processor, in the best of these batches."""
    sample = tiles[:TIMED_TILES]
    embed(sample[:16])
    return len(sample) / min(_seconds(embed, sample, batch) for batch in batches)


def _seconds(embed: Callable[[Uint8], Float32], tiles: Uint8, batch: int) -> float:
    before = resource.getrusage(resource.RUSAGE_SELF)
    for i in range(0, len(tiles), batch):
        embed(tiles[i : i + batch])
    after = resource.getrusage(resource.RUSAGE_SELF)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _row(name: str, cosine: float | None, z_prime: float | None, tiles: float, *, offered: bool) -> str:
    cells = ("" if cosine is None else f"{cosine:.5f}", "none" if z_prime is None else f"{z_prime:.3f}")
    return f"| {name} | {cells[0]} | {cells[1]} | {tiles:.0f} | {'yes' if offered else 'no'} |"


if __name__ == "__main__":
    main()
