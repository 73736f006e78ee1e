"""Calibration and speed of the efficacy axis, by simulation with known truth.

`python -m benchmarks.analysis.axes --page docs/axes-and-quality.md` writes the tables of that page; `--quick` runs a
tenth of it, `--only chance` one of them. With BBBC013 at hand (`--bbbc013 FOLDER`), the table of whitenings is made
again too.
"""

from __future__ import annotations

import argparse
import resource
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gandl_embedding.engine import Engine
from gandl_science.arrays import group_means
from gandl_science.assay.accuracy import share_right
from gandl_science.assay.intensity import intensity_statistics
from gandl_science.assay.separation import roc_auc, separation
from gandl_science.axis.anchors import control_anchors
from gandl_science.axis.application import apply_axis
from gandl_science.axis.cross_fit import AxisOptions, fit_linear_axis, held_out_scores, score_wells
from gandl_science.axis.folds import Folds, grouped_folds, plate_folds
from gandl_science.axis.provenance import HeldOut
from gandl_science.dose_response.onset import off_axis_limit, off_axis_onset
from gandl_science.positions import Positions
from gandl_shared.imaging import Preprocessing, blank_tiles, prepare, read_site, sampled_limits, tile_contrast
from gandl_shared.plates import Role, read_plate_map
from gandl_shared.plates.well_names import parse_wells
from gandl_shared.schemas.analysis import ImageQcParameters
from numpy.typing import NDArray

from benchmarks.tables import row, share, write_between

Float = NDArray[np.float64]
Index = NDArray[np.intp]

MODEL = Path(__file__).parents[2] / "models" / "gandl-bbbc013-64.onnx"
TILES = 4
UNSEEN, COMPOUNDS = 20, 20
DESIGNS = ((4.0, 64, (16, 60, 200)), (3.0, 128, (16, 60, 200)), (2.0, 256, (32, 60, 120, 200)))
"""Effect, features, control wells of both classes together. The last is the weak assay in which the naive way was found
out: its Z′ is below -2."""


@dataclass(frozen=True)
class Screen:
    """Tiles [N, F], the well of each, labels [W] as the fit sees them, truth [W] and folds."""

    vectors: NDArray[np.float32]
    well: Index
    labels: Index
    truth: Index
    folds: Folds


def draw(controls: int, features: int, effect: float, rng: np.random.Generator, unseen: int = UNSEEN) -> Screen:
    """One plate of `controls` labelled wells and 2 x `unseen` others. Wells of a class differ by 0.5 in every
    direction, tiles by 1; the classes lie `effect` apart."""
    truth = np.r_[np.tile([1, -1], controls // 2), np.repeat([1, -1], unseen)].astype(np.intp)
    centres = truth[:, None] * np.ones(features) / np.sqrt(features) * effect / 2
    centres = centres + rng.normal(size=centres.shape) * 0.5
    vectors = (centres[:, None] + rng.normal(size=(len(truth), TILES, features))).reshape(-1, features)
    labels = np.where(np.arange(len(truth)) < controls, truth, 0).astype(np.intp)
    folds = grouped_folds(_two_columns(["P"], len(truth)), labels)
    assert folds is not None
    return Screen(vectors.astype(np.float32), np.repeat(np.arange(len(truth)), TILES), labels, truth, folds)


def _two_columns(plates: Sequence[str], wells: int) -> Positions:
    """Return positions that fill two columns at a time, 16 rows each, with as many `wells` on every plate."""
    pair = np.arange(wells) // 2
    return Positions(
        plates=[plate for plate in plates for _ in range(wells)],
        rows=np.tile(pair % 16 + 1, len(plates)),
        columns=np.tile(1 + np.arange(wells) % 2 + pair // 16 * 2, len(plates)),
    )


def unseen_efficacies(screen: Screen) -> tuple[Float, float]:
    """Mean efficacy of unseen positives and negatives: by the folds' axes; by one axis on all controls with
    out-of-fold anchors; the same with in-sample anchors. [3, 2], and the distance of the out-of-fold anchors."""
    scores = held_out_scores(screen.vectors, screen.well, screen.labels, screen.folds)
    tile_labels = screen.labels[screen.well]
    axis = fit_linear_axis(screen.vectors[tile_labels != 0], tile_labels[tile_labels != 0])
    weights, bias = axis.functional
    on = group_means((screen.vectors @ weights + bias)[:, None], screen.well, len(screen.labels))[:, 0]
    anchors = control_anchors(scores.on, screen.labels)
    ways = (anchors.efficacy(scores.on), anchors.efficacy(on), control_anchors(on, screen.labels).efficacy(on))
    unseen = [(screen.labels == 0) & (screen.truth == side) for side in (1, -1)]
    return np.array([[way[u].mean() for u in unseen] for way in ways]), anchors.positive - anchors.negative


def calibration(plates: int) -> Iterator[str]:
    """Held-out controls at -1 and +1, for a strong, a weaker and a weak effect."""
    yield f"Mean efficacy of unseen positive / negative wells over {plates} simulated plates (standard error):"
    yield ""
    yield "| effect, features | control wells | folds' axes (ours) | the same, plates weighted | one axis, out-of-fold anchors | naive | plates without efficacy |"  # noqa: E501
    yield "|---|---|---|---|---|---|---|"
    for effect, features, sizes in DESIGNS:
        for controls in sizes:
            rngs = (np.random.default_rng([controls, seed]) for seed in range(plates))
            rows = [unseen_efficacies(draw(controls, features, effect, rng)) for rng in rngs]
            every, distance = np.stack([row for row, _ in rows]), np.array([d for _, d in rows])
            known = np.isfinite(every).all(axis=(1, 2))
            found, distance = every[known], distance[known]
            mean, error = found.mean(axis=0), found.std(axis=0) / np.sqrt(len(found))
            cells = [f"{m[0]:+.2f} ({e[0]:.2f}) / {m[1]:+.2f} ({e[1]:.2f})" for m, e in zip(mean, error, strict=True)]
            weighted = np.average(found[:, 0], axis=0, weights=distance)
            cells.insert(1, f"{weighted[0]:+.2f} / {weighted[1]:+.2f}")
            cells.append(str(int(np.sum(~known))))
            yield f"| {effect:g}, {features} | {controls} | " + " | ".join(cells) + " |"
    yield ""


def departures(plates: int) -> Iterator[str]:
    """How often wells like the negative controls are told to leave the controls off the axis: what would make an inert
    compound `toxic`."""
    doses = np.arange(1.0, 7.0)
    yield "| control wells | wells a dose | inert compounds called `toxic` | rate | 95 % interval |"
    yield "|---|---|---|---|---|"
    for controls in (16, 32, 60, 200):
        for replicates in (1, 2, 3):
            found = []
            for seed in range(plates):
                rng = np.random.default_rng([controls, replicates, seed])
                screen = draw(controls, 64, 4.0, rng, unseen=COMPOUNDS * len(doses) * replicates)
                scores = score_wells(screen.vectors, screen.well, screen.labels, screen.folds)
                limit = off_axis_limit(scores.off_distance[screen.labels != 0])
                inert = scores.off_distance[(screen.labels == 0) & (screen.truth < 0)]
                means = inert.reshape(COMPOUNDS, len(doses), replicates).mean(axis=2)
                found += [off_axis_onset(doses, each, limit) is not None for each in means]
            yield row(controls, replicates, share(sum(found), len(found)))
    yield ""


def plate_effects(screens: int) -> Iterator[str]:
    """Which wells to hold out when plates differ: screens of 4 plates, each with 8 control and 20 unseen wells."""
    yield f"Unseen positive / negative wells (spread of all) over {screens} screens of 4 plates, 64 features:"
    yield ""
    yield "| shift of plates, in spreads of tiles | effect differs by | controls held out by row | by plate |"
    yield "|---|---|---|---|"
    for shift, differs in ((0.0, 0.0), (0.5, 0.0), (1.0, 0.5), (1.0, 1.0)):
        found = np.stack([_two_ways(shift, differs, np.random.default_rng([7, seed])) for seed in range(screens)])
        cells = [f"{p:+.2f} / {n:+.2f} ({spread:.2f})" for p, n, spread in found.mean(axis=0)]
        yield f"| {shift:g} | {differs:g} | " + " | ".join(cells) + " |"
    yield ""


def _two_ways(shift: float, differs: float, rng: np.random.Generator) -> Float:
    parts = [draw(8, 64, 4.0, rng) for _ in range(4)]
    each = len(parts[0].labels)
    labels, truth = (np.concatenate([getattr(p, name) for p in parts]) for name in ("labels", "truth"))
    well = np.concatenate([p.well + i * each for i, p in enumerate(parts)])
    moved = [p.vectors + rng.normal(size=64) * shift + _own_effect(p, differs, rng) for p in parts]
    vectors = np.concatenate(moved).astype(np.float32)
    plates = np.repeat(["1", "2", "3", "4"], each).tolist()
    rows = []
    for folds in (grouped_folds(_two_columns("1234", each), labels), plate_folds(plates, labels)):
        assert folds is not None
        efficacy = score_wells(vectors, well, labels, folds).efficacy
        positive, negative = (efficacy[(labels == 0) & (truth == side)] for side in (1, -1))
        spread = np.r_[positive - positive.mean(), negative - negative.mean()].std()
        rows.append((positive.mean(), negative.mean(), spread))
    return np.array(rows)


def _own_effect(screen: Screen, size: float, rng: np.random.Generator) -> Float:
    """What the classes of this plate differ by besides."""
    along: Float = screen.truth[screen.well][:, None] * rng.normal(size=64) / np.sqrt(64) * size * 2
    return along


def chance(plates: int) -> Iterator[str]:
    """What random labels give, held out, beside scores drawn without any features."""
    rows = []
    for seed in range(plates):
        rng = np.random.default_rng([24, seed])
        screen = draw(24, 64, 0.0, rng)
        scores = held_out_scores(screen.vectors, screen.well, screen.labels, screen.folds)
        positive, negative = (scores.on[screen.labels == side] for side in (1, -1))
        drawn = separation(*rng.normal(size=(2, 12))).z_prime
        accuracy = share_right(scores.tiles_right, scores.n_tiles, screen.labels != 0)
        rows.append((accuracy, roc_auc(positive, negative), separation(positive, negative).z_prime, drawn))
    accuracy, auc, z, drawn = np.array(rows, dtype=float).T
    error = accuracy.std() / np.sqrt(plates), auc.std() / np.sqrt(plates)
    quartiles, by_chance = (" / ".join(f"{v:.1f}" for v in np.nanquantile(x, (0.25, 0.5, 0.75))) for x in (z, drawn))
    none, none_by_chance = (np.isnan(x).mean() for x in (z, drawn))
    yield f"Random labels, 24 control wells, {plates} plates: tile accuracy {accuracy.mean():.3f} (SE {error[0]:.3f}),"
    yield f"ROC AUC {auc.mean():.3f} (SE {error[1]:.3f}); no Z′ (classes the wrong way round) on"
    yield f"{none:.0%}, else quartiles {quartiles}; for 24 normal numbers without any features {none_by_chance:.0%} and"
    yield f"{by_chance}."
    yield ""


def speed(quick: bool) -> Iterator[str]:
    """Time and memory of a fit with five grouped folds and of scoring: CPU seconds, as other work may run beside it."""
    yield "| tiles × 512 | what | CPU seconds | peak memory of the process, GiB |"
    yield "|---|---|---|---|"
    rng = np.random.default_rng(0)
    for tiles in (4_000,) if quick else (10_000, 20_000, 40_000):
        wells = tiles // 25
        labels = np.tile([1, -1], wells // 2).astype(np.intp)
        well = np.repeat(np.arange(wells), 25)
        vectors = rng.standard_normal((tiles, 512), np.float32)
        vectors[:, :20] += 0.1 * labels[well][:, None]
        folds = Folds(of_well=np.arange(wells) // 2 % 5, count=5, held_out=HeldOut.PLATE)
        start = time.process_time()
        fit = score_wells(vectors, well, labels, folds).fit
        yield f"| {tiles:,} | axis with 5 grouped folds | {time.process_time() - start:.1f} | {_memory():.2f} |"
    for tiles in (30_552,) if quick else (30_552, 101_840, 305_520):
        vectors = rng.standard_normal((tiles, 512), np.float32)
        well = np.arange(tiles) // 4
        start = time.process_time()
        apply_axis(fit, vectors, well, np.zeros(tiles // 4, np.intp))
        seconds = time.process_time() - start
        yield f"| {tiles:,} | scoring tiles and wells, on and off the axis | {seconds:.1f} | {_memory():.2f} |"
    yield ""


def whitenings(folder: Path) -> Iterator[str]:
    """Z′ and tile accuracy on BBBC013, leave one row out, of the released model's features and of intensities."""
    engine = Engine.load(MODEL, threads=1)
    card = engine.card
    wells = read_plate_map(folder / "platemap.csv").wells
    files = [[folder / "images" / w.metadata[c] for c in ("channel_1_gfp", "channel_2_dna")] for w in wells]
    how = Preprocessing(
        limits=sampled_limits(files, downscale=card.downscale), size=card.size, downscale=card.downscale
    )
    cut = [prepare(read_site(pair), how) for pair in files]
    well, tiles = np.repeat(np.arange(len(wells)), [len(t) for t in cut]), np.concatenate(cut)
    seen = ~blank_tiles(tile_contrast(tiles), well, ImageQcParameters().blank)
    tiles, well = tiles[seen], well[seen]
    signs = {Role.POSITIVE: 1, Role.NEGATIVE: -1}
    labels = np.array([signs.get(w.role, 0) for w in wells], np.intp)
    rows, columns = parse_wells(w.well for w in wells)
    folds = grouped_folds(Positions(plates=[w.plate for w in wells], rows=rows, columns=columns), labels)
    assert folds is not None
    statistics = intensity_statistics(tiles)
    features = {
        f"`{card.name}` ({card.features} features)": engine.embed(tiles),
        f"intensity statistics ({statistics.shape[1]})": statistics,
    }
    yield "BBBC013, one row held out, tiles of 64 px at half resolution; Z′ / tile accuracy:"
    yield ""
    yield "| features | C | standardised | whitened on the negatives | within classes |"
    yield "|---|---|---|---|---|"
    for name, vectors in features.items():
        for c in (1e-4, 1e-3, 1e-2, 1e-1):
            cells = []
            for whitening in ("none", "negative_controls", "within_class"):
                scores = score_wells(vectors, well, labels, folds, AxisOptions(whitening=whitening, regularisation=c))
                found = separation(scores.on[labels > 0], scores.on[labels < 0])
                cells.append(f"{found.z_prime:.2f} / {scores.tile_accuracy(labels != 0):.3f}")
            yield f"| {name} | {c:g} | " + " | ".join(cells) + " |"
    yield ""


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Print the tables, and put each into the page between its marks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bbbc013", type=Path)
    parser.add_argument("--page", type=Path, help="a Markdown file with the marks, rewritten in place")
    parser.add_argument("--only", action="append", help="a table by name; may be repeated")
    given = parser.parse_args()
    plates = 20 if given.quick else 200
    tables = {
        "speed": lambda: speed(given.quick),
        "calibration": lambda: calibration(plates),
        "plate effects": lambda: plate_effects(plates // 4),
        "departures": lambda: departures(plates // 2),
        "chance": lambda: chance(plates),
    } | ({"whitenings": lambda: whitenings(given.bbbc013)} if given.bbbc013 else {})
    for name in given.only or tables:
        text = "\n".join(tables[name]())
        print(text, flush=True)
        if given.page:
            write_between(given.page, name, text)


if __name__ == "__main__":
    main()
