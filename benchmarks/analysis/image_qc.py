"""What image QC catches, what spoilt fields do to the scores, and what it costs. Writes the tables of docs/image-qc.md.

    python -m benchmarks.analysis.image_qc --data ../shared/data --page docs/image-qc.md

Real fields of three sources as they are, and the same fields blurred, overexposed, emptied. One core, about 3 minutes.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from gandl_embedding.engine import Engine
from gandl_science.assay.image_qc import REASONS, ImageLimits, site_flags
from gandl_science.assay.separation import z_prime
from gandl_science.axis.cross_fit import WellScores, score_wells
from gandl_science.axis.folds import grouped_folds
from gandl_shared.imaging.fields import Limits, Preprocessing, cut_tiles, prepare, prepare_field, read_image, read_site
from gandl_shared.imaging.metrics import SiteFigures, site_figures
from gandl_shared.plates import Role, find_sites, read_plate_map
from gandl_shared.schemas.analysis import ImageQcParameters
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

Raw = NDArray[np.float32]
Index = NDArray[np.intp]
Change = Callable[[Raw], Raw]

BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
MODELS = Path(__file__).parents[2] / "models"
LIMITS = ImageLimits(**ImageQcParameters().model_dump(exclude={"exclude", "blank"}))
ROUNDS = 8


def blurred(sigma: float) -> Change:
    """Gaussian blur, in pixels of the image file."""
    return lambda raw: gaussian_filter(raw, (0, sigma, sigma))


def brighter(factor: float) -> Change:
    """All intensities above the background times `factor`, up to where the image file ends."""

    def change(raw: Raw) -> Raw:
        low = np.percentile(raw, 1, axis=(1, 2), keepdims=True)
        return np.asarray(low + (raw - low) * factor, np.float32)

    return change


def one_channel(change: Change) -> Change:
    """The same for the first channel only."""
    return lambda raw: np.concatenate([change(raw[:1]), raw[1:]])


def emptied(raw: Raw) -> Raw:
    """Background with the noise of a camera: no cells."""
    rng = np.random.default_rng(0)
    background = np.percentile(raw, 20, axis=(1, 2), keepdims=True)
    noise = np.maximum(np.sqrt(background), 1.0) * rng.normal(size=raw.shape)
    return np.asarray(background + noise, np.float32)


VERSIONS: Mapping[str, Change] = {
    "as they are": lambda raw: raw,
    "blurred, σ 1 px": blurred(1),
    "blurred, σ 2 px": blurred(2),
    "blurred, σ 4 px": blurred(4),
    "blurred, σ 8 px": blurred(8),
    "4 times as bright": brighter(4),
    "20 times as bright": brighter(20),
    "first channel 1000 times as bright": one_channel(brighter(1000)),
    "no cells": emptied,
    "black": np.zeros_like,
}


@dataclass(frozen=True)
class Fields:
    """Raw fields of one source that may be compared with each other, and how a model would see them."""

    name: str
    raw: Sequence[Raw]
    preprocessing: Preprocessing
    top: float

    def changed(self, change: Change) -> list[NDArray[np.uint8]]:
        """The fields as the model sees them after a change, cut off where the file format ends."""
        return [prepare_field(np.clip(np.rint(change(raw)), 0, self.top), self.preprocessing) for raw in self.raw]


def fields_of(name: str, raw: Sequence[NDArray[np.generic]], size: int, downscale: int) -> Fields:
    """Limits are percentiles over all fields, as `--limits plate` has them."""
    top = float(np.iinfo(raw[0].dtype).max)
    images = [r.astype(np.float32) for r in raw]
    pixels = np.concatenate([_small(r, downscale).reshape(len(r), -1) for r in images], axis=1)
    low, high = np.percentile(pixels, [0.1, 99.9], axis=1)
    limits = Limits(tuple(map(float, low)), tuple(map(float, np.maximum(high, low + 1))))
    return Fields(name, images, Preprocessing(limits, size, downscale), top)


def _small(raw: Raw, factor: int) -> Raw:
    c, h, w = raw.shape
    cut = raw[:, : h // factor * factor, : w // factor * factor]
    return np.asarray(cut.reshape(c, h // factor, factor, w // factor, factor).mean(axis=(2, 4)), np.float32)


def sources(data: Path) -> Iterator[Fields]:
    """A whole plate; 18 fields of four cell types, taken as one plate; one field in 16 parts."""
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
    """The five stains of the Cell Painting field, without brightfield."""
    return sorted((data / "cell_painting_field/images").glob("*ch[2-6]*.tiff"))


def caught(fields: Fields) -> Iterator[str]:
    """Share of the fields with each flag; a changed field is judged beside the others as they are."""
    real = [site_figures(f) for f in fields.changed(VERSIONS["as they are"])]
    for version, change in VERSIONS.items():
        figures = [site_figures(f) for f in fields.changed(change)]
        flags = [flags_of([*real[:i], spoilt, *real[i + 1 :]])[i] for i, spoilt in enumerate(figures)]
        shares = [np.mean([reason in found for found in flags]) for reason in REASONS]
        cells = " | ".join(f"{100 * s:.0f} %" if s else "" for s in (*shares, np.mean([bool(f) for f in flags])))
        yield f"| {fields.name} | {version} | {cells} |"


def flags_of(figures: Sequence[SiteFigures]) -> tuple[tuple[str, ...], ...]:
    """The rule with its default thresholds."""
    columns = (np.stack([getattr(f, name) for f in figures]) for name in ("sharpness", "saturated", "structure"))
    return site_flags(*columns, LIMITS)


@dataclass(frozen=True)
class Plate:
    """BBBC013 as wells: labels [W] (+1, -1, 0), tiles' wells, and how to score vectors [W, T, F]."""

    labels: Index
    names: Sequence[str]

    def scores(self, vectors: NDArray[np.float32], left_out: Index | None = None) -> WellScores:
        """`left_out` wells train nothing and are no controls."""
        labels = self.labels.copy()
        if left_out is not None:
            labels[left_out] = 0
        folds = grouped_folds(["P"] * len(labels), list(self.names), labels)
        assert folds is not None
        well = np.repeat(np.arange(len(labels)), vectors.shape[1])
        return score_wells(vectors.reshape(-1, vectors.shape[2]), well, labels, folds)

    def z_prime(self, scores: WellScores, left_out: Index | None = None) -> float:
        """Of the controls that are left."""
        keep = np.ones(len(self.labels), bool)
        keep[left_out if left_out is not None else []] = False
        found = z_prime(*(scores.on[keep & (self.labels == side)] for side in (1, -1)))
        return float("nan") if found is None else found


def harm(data: Path, engine: Engine) -> Iterator[str]:
    """What spoilt fields do to scores: their own, and those of the others if they are controls."""
    plate_map = read_plate_map(data / "bbbc013/platemap.csv")
    sites = find_sites(data / "bbbc013/images", plate_map)
    fields = fields_of("BBBC013", [read_site(s.files) for s in sites], 64, 2)
    roles = {w.well: {Role.POSITIVE: 1, Role.NEGATIVE: -1}.get(w.role, 0) for w in plate_map.wells}
    plate = Plate(np.array([roles[s.well] for s in sites], np.intp), [s.well for s in sites])
    real = embedded(fields, VERSIONS["as they are"], engine)
    base = plate.scores(real)
    for version, change in list(VERSIONS.items())[1:]:
        yield f"| {version} | {_harm(plate, base, real, embedded(fields, change, engine))} |"


def _harm(plate: Plate, base: WellScores, real: NDArray[np.float32], spoilt: NDArray[np.float32]) -> str:
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
    return (
        f"{np.median(shift):.2f} / {shift.max():.2f} | {off:.1f} | {np.median(within):.2f} | {np.median(without):.2f}"
    )


def embedded(fields: Fields, change: Change, engine: Engine) -> NDArray[np.float32]:
    """Vectors [W, T, F]."""
    return np.stack([engine.embed(cut_tiles(f, fields.preprocessing)) for f in fields.changed(change)])


def cost(name: str, files: Sequence[Path], engine: Engine) -> str:
    """Milliseconds of one site: reading with cutting, embedding on one thread, figures; and their share."""
    how = fields_of(name, [read_site(files)], engine.card.size, engine.card.downscale).preprocessing
    raw = read_site(files)
    field, tiles = prepare_field(raw, how), prepare(raw, how)
    decode, embed, figures = (
        fastest(work)
        for work in (lambda: prepare(read_site(files), how), lambda: engine.embed(tiles), lambda: site_figures(field))
    )
    size = "×".join(map(str, raw.shape))
    return f"| {name}, {size} | {decode:.1f} | {embed:.1f} | {figures:.1f} | {figures / (decode + embed):.1%} |"


def fastest(work: Callable[[], object], times: int = 5) -> float:
    """Milliseconds of the fastest of several runs."""
    work()
    spent = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        spent.append(1000 * (time.perf_counter() - start))
    return min(spent)


def tables(data: Path) -> Iterator[str]:
    """All lines between the marks of the page."""
    yield f"| fields | version | {' | '.join(REASONS)} | any |"
    yield "|---|---|" + "---|" * (len(REASONS) + 1)
    yield from chain.from_iterable(map(caught, sources(data)))
    yield ""
    columns = "spoilt wells of BBBC013", "shift of their efficacy, median / largest", "off distance"
    yield f"| {' | '.join(columns)} | Z′ with 3 of 24 controls spoilt | without them |"
    yield "|---|---|---|---|---|"
    bbbc013, sim5 = (Engine.load(MODELS / f"{name}.onnx", threads=1) for name in ("gandl-bbbc013-64", "gandl-sim5-64"))
    yield from harm(data, bbbc013)
    yield ""
    yield "| one site | decode, ms | embed, ms | figures, ms | they add |"
    yield "|---|---|---|---|---|"
    yield cost("BBBC013", sorted((data / "bbbc013/images").glob("Channel?-01-*.tif")), bbbc013)
    yield cost("Cell Painting", painted(data), sim5)


def main() -> None:
    """Print the tables, and put them into the page between its marks."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--page", type=Path, help="a Markdown file with the marks, rewritten in place")
    options = parser.parse_args()
    lines = []
    for line in tables(options.data):
        print(line, flush=True)
        lines.append(line)
    if options.page:
        before, rest = options.page.read_text().split(BEGIN)
        text = "\n".join(lines)
        options.page.write_text(f"{before}{BEGIN}\n{text}\n{END}{rest.split(END)[1]}")


if __name__ == "__main__":
    main()
