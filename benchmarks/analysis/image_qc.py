"""Which spoilt fields image QC recognises, what they do to scores, and what QC costs: the tables of docs/image-qc.md.

    python -m benchmarks.analysis.image_qc --data ../shared/data --page docs/image-qc.md

Real fields of three sources are judged as they are, and the same fields blurred, overexposed and without cells. The
benchmark takes about 3 minutes on one core.
"""

from __future__ import annotations

import argparse
import dataclasses
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from gandl_embedding.engine import Engine
from gandl_science.assay.image_qc import ChannelMetrics, ImageLimits, SiteProblems, site_problems
from gandl_science.assay.separation import z_prime
from gandl_science.axis.cross_fit import score_wells
from gandl_science.axis.folds import grouped_folds
from gandl_science.axis.scores import WellScores
from gandl_science.positions import Positions
from gandl_shared.imaging import (
    IntensityLimits,
    Preprocessing,
    SiteMetrics,
    cut_tiles,
    prepare,
    prepare_field,
    read_image,
    read_site,
    site_metrics,
)
from gandl_shared.plates import Role, find_sites, read_plate_map
from gandl_shared.plates.well_names import parse_wells
from gandl_shared.schemas.analysis import ImageQcParameters
from gandl_shared.schemas.vocabulary import ImageReason
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from benchmarks.tables import row, write_between

Raw = NDArray[np.float32]
Index = NDArray[np.intp]
Change = Callable[[Raw], Raw]

MODELS = Path(__file__).parents[2] / "models"
LIMITS = ImageLimits(**ImageQcParameters().model_dump(exclude={"exclude", "blank", "unusable"}))
ROUNDS = 8


def blurred(sigma: float) -> Change:
    """Return a Gaussian blur, `sigma` in pixels of the image file."""
    return lambda raw: gaussian_filter(raw, (0, sigma, sigma))


def brighter(factor: float) -> Change:
    """Return a change that multiplies all intensities above the background by `factor`."""

    def change(raw: Raw) -> Raw:
        low = np.percentile(raw, 1, axis=(1, 2), keepdims=True)
        return np.asarray(low + (raw - low) * factor, np.float32)

    return change


def one_channel(change: Change) -> Change:
    """Return the same change for the first channel only."""
    return lambda raw: np.concatenate([change(raw[:1]), raw[1:]])


def emptied(raw: Raw) -> Raw:
    """Return a background with the noise of a camera and without cells."""
    rng = np.random.default_rng(0)
    background = np.percentile(raw, 20, axis=(1, 2), keepdims=True)
    noise = np.maximum(np.sqrt(background), 1.0) * rng.normal(size=raw.shape)
    return np.asarray(background + noise, np.float32)


def dead(raw: Raw) -> Raw:
    """Return the field with the last channel as a camera records it while the laser is off: an offset and its noise."""
    return np.concatenate([raw[:-1], emptied(raw[-1:])])


def constant(raw: Raw) -> Raw:
    """Return the field with a last channel of one value."""
    return np.concatenate([raw[:-1], np.full_like(raw[-1:], 7)])


def copied(raw: Raw) -> Raw:
    """Return the field with the first channel in the place of the last one too."""
    return np.concatenate([raw[:-1], raw[:1]])


def striped(amplitude: float) -> Change:
    """Return a change that raises pairs of rows by `amplitude` times the spread of neighbouring pixels."""

    def change(raw: Raw) -> Raw:
        rows = np.arange(raw.shape[1]) // 2 % 2
        spread = np.diff(raw, axis=2).std(axis=(1, 2)) / np.sqrt(2)
        return np.asarray(raw + amplitude * spread[:, None, None] * rows[:, None], np.float32)

    return change


VERSIONS: Mapping[str, Change] = {
    "as they are": lambda raw: raw,
    "blurred, σ 1 px": blurred(1),
    "blurred, σ 2 px": blurred(2),
    "blurred, σ 4 px": blurred(4),
    "blurred, σ 8 px": blurred(8),
    "4 times as bright": brighter(4),
    "20 times as bright": brighter(20),
    "first channel 1000 times as bright": one_channel(brighter(1000)),
    "last channel constant": constant,
    "last channel off": dead,
    "last channel a copy": copied,
    "stripes of 1 σ": striped(1),
    "stripes of 2 σ": striped(2),
    "no cells": emptied,
    "black": np.zeros_like,
}


@dataclass(frozen=True)
class Fields:
    """Raw fields of one source that may be compared with each other, and their preparation for a model.

    `top` is the largest intensity that the file format can hold.
    """

    name: str
    raw: Sequence[Raw]
    preprocessing: Preprocessing
    top: float

    def recorded(self, change: Change) -> list[Raw]:
        """Return the fields after a change, limited to what the file format can hold."""
        return [np.asarray(np.clip(np.rint(change(raw)), 0, self.top), np.float32) for raw in self.raw]

    def changed(self, change: Change) -> list[NDArray[np.uint8]]:
        """Return the fields as the model receives them after a change."""
        return [prepare_field(raw, self.preprocessing) for raw in self.recorded(change)]

    def metrics(self, change: Change) -> list[SiteMetrics]:
        """Return the metrics of the fields after a change."""
        return [site_metrics(prepare_field(raw, self.preprocessing), raw) for raw in self.recorded(change)]


def fields_of(name: str, raw: Sequence[NDArray[np.generic]], size: int, downscale: int) -> Fields:
    """Return the fields with limits that are percentiles over all of them, as with `--limits plate`."""
    top = float(np.iinfo(raw[0].dtype).max)
    images = [r.astype(np.float32) for r in raw]
    pixels = np.concatenate([_small(r, downscale).reshape(len(r), -1) for r in images], axis=1)
    low, high = np.percentile(pixels, [0.1, 99.9], axis=1)
    limits = IntensityLimits(low=tuple(map(float, low)), high=tuple(map(float, np.maximum(high, low + 1))))
    return Fields(name, images, Preprocessing(limits=limits, size=size, downscale=downscale), top)


def _small(raw: Raw, factor: int) -> Raw:
    c, h, w = raw.shape
    cut = raw[:, : h // factor * factor, : w // factor * factor]
    return np.asarray(cut.reshape(c, h // factor, factor, w // factor, factor).mean(axis=(2, 4)), np.float32)


def sources(data: Path) -> Iterator[Fields]:
    """Yield a whole plate, 18 fields of four cell types as if they were one plate, and one field in 16 parts."""
    sites = find_sites(data / "bbbc013/images", read_plate_map(data / "bbbc013/platemap.csv"))
    yield fields_of("BBBC013, 96 wells", [read_site(s.files) for s in sites], 64, 2)
    firsts = sorted((data / "rxrx1_sample/images").rglob("*_s1_w1.png"))
    names = [[path.with_name(path.name.replace("w1", f"w{k}")) for k in range(1, 7)] for path in firsts]
    yield fields_of("RxRx1, 18 fields of 4 cell types", [read_site(files) for files in names], 64, 2)
    parts = [read_image(path) for path in painted(data)]
    field, edge = np.concatenate(parts), parts[0].shape[1] // 4
    cut = [field[:, i : i + edge, j : j + edge] for i in range(0, 4 * edge, edge) for j in range(0, 4 * edge, edge)]
    yield fields_of("Cell Painting, 1 field in 16 parts", cut, 64, 2)


def painted(data: Path) -> list[Path]:
    """Return the files of the five stains of the Cell Painting field, without brightfield."""
    return sorted((data / "cell_painting_field/images").glob("*ch[2-6]*.tiff"))


def recognised(fields: Fields) -> Iterator[str]:
    """Yield one table row per change with the share of the fields that have each problem.

    A changed field is judged beside the other fields as they are.
    """
    real = fields.metrics(VERSIONS["as they are"])
    for version, change in VERSIONS.items():
        changed = fields.metrics(change)
        by_field = [problems_of([*real[:i], spoilt, *real[i + 1 :]]) for i, spoilt in enumerate(changed)]
        problems = np.array([[p.of_sites(reason)[i] for reason in ImageReason] for i, p in enumerate(by_field)])
        shares = [*problems.mean(axis=0), problems.any(axis=1).mean()]
        yield row(fields.name, version, *(f"{100 * s:.0f} %" if s else "" for s in shares))


def problems_of(sites: Sequence[SiteMetrics]) -> SiteProblems:
    """Return the problems of the sites with the default thresholds."""
    names = [field.name for field in dataclasses.fields(ChannelMetrics)]
    metrics = ChannelMetrics(**{name: np.stack([getattr(s, name) for s in sites]) for name in names})
    return site_problems(metrics, np.zeros(len(sites), np.intp), LIMITS)


@dataclass(frozen=True)
class Plate:
    """The wells of BBBC013: their labels [W] (+1, -1, 0) and their names [W]."""

    labels: Index
    names: Sequence[str]

    def scores(self, vectors: NDArray[np.float32], left_out: Index | None = None) -> WellScores:
        """Return held-out scores of vectors [W, T, F]; wells in `left_out` train nothing and are no controls."""
        labels = self.labels.copy()
        if left_out is not None:
            labels[left_out] = 0
        rows, columns = parse_wells(self.names)
        positions = Positions(plates=["P"] * len(labels), rows=rows, columns=columns)
        folds = grouped_folds(positions, labels)
        assert folds is not None
        well = np.repeat(np.arange(len(labels)), vectors.shape[1])
        return score_wells(vectors.reshape(-1, vectors.shape[2]), well, labels, folds)

    def z_prime(self, scores: WellScores, left_out: Index | None = None) -> float:
        """Return Z′ of the controls that are not in `left_out`; NaN where it is not defined."""
        used = np.ones(len(self.labels), bool)
        used[left_out if left_out is not None else []] = False
        value = z_prime(*(scores.on[used & (self.labels == side)] for side in (1, -1)))
        return float("nan") if value is None else value


def harm(data: Path, engine: Engine) -> Iterator[str]:
    """Yield one table row per change: how it shifts the scores of spoilt wells, and of others by spoilt controls."""
    plate_map = read_plate_map(data / "bbbc013/platemap.csv")
    sites = find_sites(data / "bbbc013/images", plate_map)
    fields = fields_of("BBBC013", [read_site(s.files) for s in sites], 64, 2)
    roles = {w.well: {Role.POSITIVE: 1, Role.NEGATIVE: -1}.get(w.role, 0) for w in plate_map.wells}
    plate = Plate(np.array([roles[s.well] for s in sites], np.intp), [s.well for s in sites])
    real = embedded(fields, VERSIONS["as they are"], engine)
    base = plate.scores(real)
    for version, change in list(VERSIONS.items())[1:]:
        yield row(version, *_harm(plate, base, real, embedded(fields, change, engine)))


def _harm(plate: Plate, base: WellScores, real: NDArray[np.float32], spoilt: NDArray[np.float32]) -> tuple[str, ...]:
    treated = plate.labels == 0
    mixed = np.where(treated[:, None, None], spoilt, real)
    scores = plate.scores(mixed)
    shift = np.abs(scores.efficacy - base.efficacy)[treated]
    within, without = [], []
    for seed in range(ROUNDS):
        rng = np.random.default_rng(seed)
        bad = np.concatenate([rng.choice(np.flatnonzero(plate.labels == s), n, False) for s, n in ((-1, 2), (1, 1))])
        vectors = real.copy()
        vectors[bad] = spoilt[bad]
        within.append(plate.z_prime(plate.scores(vectors)))
        without.append(plate.z_prime(plate.scores(vectors, bad), bad))
    off = np.median(scores.off_distance[treated])
    z_primes = (f"{np.median(within):.2f}", f"{np.median(without):.2f}")
    return (f"{np.median(shift):.2f} / {shift.max():.2f}", f"{off:.1f}", *z_primes)


def embedded(fields: Fields, change: Change, engine: Engine) -> NDArray[np.float32]:
    """Return the vectors [W, T, F] of the changed fields."""
    return np.stack([engine.embed(cut_tiles(f, fields.preprocessing)) for f in fields.changed(change)])


def cost(name: str, files: Sequence[Path], engine: Engine) -> str:
    """Return a table row with the milliseconds per site: reading and cutting, embedding on one thread, and metrics."""
    raw = read_site(files)
    preprocessing = fields_of(name, [raw], engine.card.size, engine.card.downscale).preprocessing
    field, tiles = prepare_field(raw, preprocessing), prepare(raw, preprocessing)
    decode = fastest(lambda: prepare(read_site(files), preprocessing))
    embed, metrics = fastest(lambda: engine.embed(tiles)), fastest(lambda: site_metrics(field))
    size = "×".join(map(str, raw.shape))
    times = (f"{decode:.1f}", f"{embed:.1f}", f"{metrics:.1f}")
    return row(f"{name}, {size}", *times, f"{metrics / (decode + embed):.1%}")


def fastest(work: Callable[[], object], times: int = 5) -> float:
    """Return the milliseconds of the fastest of several runs."""
    work()
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(1000 * (time.perf_counter() - start))
    return min(spent)


def tables(data: Path) -> Iterator[str]:
    """Yield all lines between the marks of the page."""
    yield row("fields", "version", *(reason.value for reason in ImageReason), "any")
    yield "|---|---|" + "---|" * (len(ImageReason) + 1)
    yield from chain.from_iterable(map(recognised, sources(data)))
    yield ""
    columns = "spoilt wells of BBBC013", "shift of their efficacy, median / largest", "off distance"
    yield row(*columns, "Z′ with 3 of 24 controls spoilt", "without them")
    yield "|---|---|---|---|---|"
    bbbc013, sim5 = (Engine.load(MODELS / f"{name}.onnx", threads=1) for name in ("gandl-bbbc013-64", "gandl-sim5-64"))
    yield from harm(data, bbbc013)
    yield ""
    yield "| one site | decode, ms | embed, ms | metrics, ms | added by metrics |"
    yield "|---|---|---|---|---|"
    yield cost("BBBC013", sorted((data / "bbbc013/images").glob("Channel?-01-*.tif")), bbbc013)
    yield cost("Cell Painting", painted(data), sim5)


def main() -> None:
    """Print the tables, and write them into the page between its marks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--page", type=Path, help="Markdown file with the marks; the tables between them are replaced")
    options = parser.parse_args()
    lines = []
    for line in tables(options.data):
        print(line, flush=True)
        lines.append(line)
    if options.page:
        write_between(options.page, "figures", "\n".join(lines))


if __name__ == "__main__":
    main()
