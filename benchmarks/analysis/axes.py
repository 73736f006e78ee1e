"""Calibration and speed of the efficacy axis, by simulation with known truth.

`python -m benchmarks.analysis.axes --page docs/axes-and-quality.md` writes the tables of that page. `--quick` runs a
tenth of each, and `--only chance` one of them. The table of whitenings needs the images of BBBC013
(`--bbbc013 FOLDER`).
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
from gandl_science.arrays import Float, Index, group_means
from gandl_science.assay.accuracy import share_right
from gandl_science.assay.baselines.intensity import intensity_statistics
from gandl_science.assay.controls.distances import control_distances
from gandl_science.assay.separation import roc_auc, separation
from gandl_science.axis.anchors import control_anchors
from gandl_science.axis.application import apply_axis
from gandl_science.axis.cross_fit import AxisOptions, fit_linear_axis, held_out_scores, score_wells
from gandl_science.axis.folds import Folds, grouped_folds, plate_folds
from gandl_science.axis.provenance import HeldOut
from gandl_science.positions import Positions
from gandl_shared.imaging import Preprocessing, blank_tiles, prepare, read_site, sampled_limits, tile_contrast
from gandl_shared.plates import Role, read_plate_map
from gandl_shared.plates.well_names import parse_wells
from gandl_shared.schemas.analysis import ImageQcParameters
from numpy.typing import NDArray
from scipy.stats import false_discovery_control

from benchmarks.tables import row, write_between

MODEL = Path(__file__).parents[2] / "models" / "gandl-bbbc013-64.onnx"
TILES = 4
UNSEEN, COMPOUNDS = 20, 300
ALPHA = 0.05
DESIGNS = ((4.0, 64, (16, 60, 200)), (3.0, 128, (16, 60, 200)), (2.0, 256, (32, 60, 120, 200)))
"""Effect, features, and control wells of both classes together. The last is a weak assay (Z′ below -2), in which the
bias of the naive way is largest."""


@dataclass(frozen=True, kw_only=True)
class Screen:
    """Tiles [N, F], the well [N] of each, the labels [W] given to the fit, the true classes [W], and the folds."""

    vectors: NDArray[np.float32]
    well: Index
    labels: Index
    truth: Index
    folds: Folds


def draw(
    controls: int,
    features: int,
    effect: float,
    rng: np.random.Generator,
    unseen: int = UNSEEN,
    positive_spread: float = 1.0,
) -> Screen:
    """Draw one plate of `controls` labelled wells and 2 x `unseen` other wells.

    Wells of a class differ by 0.5 in every direction and tiles by 1; the classes are `effect` apart. Positive wells
    differ by `positive_spread` times as much.
    """
    truth = np.r_[np.tile([1, -1], controls // 2), np.repeat([1, -1], unseen)].astype(np.intp)
    centres = truth[:, None] * np.ones(features) / np.sqrt(features) * effect / 2
    centres = centres + rng.normal(size=centres.shape) * 0.5 * np.where(truth > 0, positive_spread, 1.0)[:, None]
    vectors = (centres[:, None] + rng.normal(size=(len(truth), TILES, features))).reshape(-1, features)
    labels = np.where(np.arange(len(truth)) < controls, truth, 0).astype(np.intp)
    folds = grouped_folds(_two_columns(["P"], len(truth)), labels)
    assert folds is not None
    return Screen(
        vectors=vectors.astype(np.float32),
        well=np.repeat(np.arange(len(truth)), TILES),
        labels=labels,
        truth=truth,
        folds=folds,
    )


def _two_columns(plates: Sequence[str], wells: int) -> Positions:
    """Return positions that fill two columns at a time, 16 rows each, with as many `wells` on every plate."""
    pair = np.arange(wells) // 2
    return Positions(
        plates=[plate for plate in plates for _ in range(wells)],
        rows=np.tile(pair % 16 + 1, len(plates)),
        columns=np.tile(1 + np.arange(wells) % 2 + pair // 16 * 2, len(plates)),
    )


def unseen_efficacies(screen: Screen) -> tuple[Float, float]:
    """Return the mean efficacies [3, 2] of unseen positives and negatives, and the distance of out-of-fold anchors.

    The three ways are: the axes of the folds; one axis on all controls with out-of-fold anchors; and the same axis with
    in-sample anchors.
    """
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
    """Yield the table of unseen controls, which should be at -1 and +1, for a strong, a weaker and a weak effect."""
    yield f"Mean efficacy of unseen positive / negative wells over {plates} simulated plates (standard error):"
    yield ""
    yield "| effect, features | control wells | folds' axes (ours) | the same, plates weighted | one axis, out-of-fold anchors | naive | plates without efficacy |"  # noqa: E501
    yield "|---|---|---|---|---|---|---|"
    for effect, features, sizes in DESIGNS:
        for controls in sizes:
            rngs = (np.random.default_rng([controls, seed]) for seed in range(plates))
            rows = [unseen_efficacies(draw(controls, features, effect, rng)) for rng in rngs]
            every, distance = np.stack([row for row, _ in rows]), np.array([d for _, d in rows])
            # A plate whose held-out controls are not separated has no efficacy at all; such plates are counted.
            finite = np.isfinite(every).all(axis=(1, 2))
            efficacies, distance = every[finite], distance[finite]
            mean, error = efficacies.mean(axis=0), efficacies.std(axis=0) / np.sqrt(len(efficacies))
            cells = [f"{m[0]:+.2f} ({e[0]:.2f}) / {m[1]:+.2f} ({e[1]:.2f})" for m, e in zip(mean, error, strict=True)]
            weighted = np.average(efficacies[:, 0], axis=0, weights=distance)
            cells.insert(1, f"{weighted[0]:+.2f} / {weighted[1]:+.2f}")
            cells.append(str(int(np.sum(~finite))))
            yield f"| {effect:g}, {features} | {controls} | " + " | ".join(cells) + " |"
    yield ""


def off_axis_onsets(plates: int) -> Iterator[str]:
    """Yield the table of compounds that would be called `toxic` because their wells are off the axis by chance.

    Of each plate's wells, 300 compounds are drawn like the negative controls and 300 like the positive ones, which vary
    as much or three times as much. Only the highest dose is drawn, as no other can make a compound deviate by itself.
    """
    yield (
        "| controls of each class | spread of positives | wells per dose | compounds | p ≤ 0.05 | p ≤ 0.01 "
        "| plates with any `toxic` (q ≤ 0.05) | compounds called `toxic` |"
    )
    yield "|---|---|---|---|---|---|---|---|"
    for spread in (1.0, 3.0):
        for controls in (4, 8, 16, 32):
            for replicates in (1, 2, 3):
                yield from _off_axis_rows(controls, spread, replicates, plates)
    yield ""


def _off_axis_rows(controls: int, spread: float, replicates: int, plates: int) -> Iterator[str]:
    p_values: dict[int, list[Float]] = {-1: [], 1: []}
    for seed in range(plates):
        rng = np.random.default_rng([controls, int(spread), replicates, seed])
        screen = draw(2 * controls, 64, 4.0 * spread, rng, unseen=COMPOUNDS * replicates, positive_spread=spread)
        scores = score_wells(screen.vectors, screen.well, screen.labels, screen.folds)
        reference = control_distances(scores.off_distance, screen.labels, scores.efficacy)
        assert reference is not None
        for side, results in p_values.items():
            wells = np.flatnonzero((screen.labels == 0) & (screen.truth == side)).reshape(-1, replicates)
            each = [reference.p_value(scores.off_distance[w], scores.efficacy[w]) for w in wells]
            results.append(np.array(each))
    for side, name in ((-1, "inert"), (1, "mimics")):
        p = np.array(p_values[side])
        called = np.array([false_discovery_control(of_plate) <= ALPHA for of_plate in p])
        shares = [f"{100 * np.mean(p <= level):.1f} %" for level in (0.05, 0.01)]
        any_called = f"{int(called.any(axis=1).sum())} / {len(p)}"
        yield row(controls, f"{spread:g}", replicates, name, *shares, any_called, f"{100 * called.mean():.2f} %")


def plate_effects(screens: int) -> Iterator[str]:
    """Yield the table of hold-outs when plates differ: screens of 4 plates, each with 8 control and 20 unseen wells."""
    yield f"Unseen positive / negative wells (spread of all) over {screens} screens of 4 plates, 64 features:"
    yield ""
    yield "| shift of plates, in spreads of tiles | effect differs by | controls held out by row | by plate |"
    yield "|---|---|---|---|"
    for shift, difference in ((0.0, 0.0), (0.5, 0.0), (1.0, 0.5), (1.0, 1.0)):
        ways = np.stack([_two_ways(shift, difference, np.random.default_rng([7, seed])) for seed in range(screens)])
        cells = [f"{p:+.2f} / {n:+.2f} ({spread:.2f})" for p, n, spread in ways.mean(axis=0)]
        yield f"| {shift:g} | {difference:g} | " + " | ".join(cells) + " |"
    yield ""


def _two_ways(shift: float, difference: float, rng: np.random.Generator) -> Float:
    """Return mean efficacies and spread [2, 3] of unseen wells, with controls held out by row and by plate."""
    parts = [draw(8, 64, 4.0, rng) for _ in range(4)]
    each = len(parts[0].labels)
    labels, truth = (np.concatenate([getattr(p, name) for p in parts]) for name in ("labels", "truth"))
    well = np.concatenate([p.well + i * each for i, p in enumerate(parts)])
    shifted = [p.vectors + rng.normal(size=64) * shift + _own_effect(p, difference, rng) for p in parts]
    vectors = np.concatenate(shifted).astype(np.float32)
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
    """Return the shifts of tiles by which the classes of this plate differ in a direction of its own."""
    along: Float = screen.truth[screen.well][:, None] * rng.normal(size=64) / np.sqrt(64) * size * 2
    return along


def chance(plates: int) -> Iterator[str]:
    """Yield held-out metrics of random labels, beside those of scores that are drawn without any features."""
    rows = []
    for seed in range(plates):
        rng = np.random.default_rng([24, seed])
        screen = draw(24, 64, 0.0, rng)
        scores = held_out_scores(screen.vectors, screen.well, screen.labels, screen.folds)
        positive, negative = (scores.on[screen.labels == side] for side in (1, -1))
        without_features = separation(*rng.normal(size=(2, 12))).z_prime
        accuracy = share_right(scores.tiles_right, scores.n_tiles, screen.labels != 0)
        rows.append((accuracy, roc_auc(positive, negative), separation(positive, negative).z_prime, without_features))
    accuracy, auc, z, z_drawn = np.array(rows, dtype=float).T
    error = accuracy.std() / np.sqrt(plates), auc.std() / np.sqrt(plates)
    quartiles, by_chance = (" / ".join(f"{v:.1f}" for v in np.nanquantile(x, (0.25, 0.5, 0.75))) for x in (z, z_drawn))
    none, none_by_chance = (np.isnan(x).mean() for x in (z, z_drawn))
    yield f"Random labels, 24 control wells, {plates} plates: tile accuracy {accuracy.mean():.3f} (SE {error[0]:.3f}),"
    yield f"ROC AUC {auc.mean():.3f} (SE {error[1]:.3f}); no Z′ (classes the wrong way round) on"
    yield f"{none:.0%}, else quartiles {quartiles}; for 24 normal numbers without any features {none_by_chance:.0%} and"
    yield f"{by_chance}."
    yield ""


def speed(quick: bool) -> Iterator[str]:
    """Yield time and memory of a fit with five grouped folds and of scoring.

    Times are processor seconds, so that other work on the machine does not count.
    """
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
    """Yield Z′ and tile accuracy on BBBC013, with one row held out, of the released model and of intensities."""
    engine = Engine.load(MODEL, threads=1)
    card = engine.card
    wells = read_plate_map(folder / "platemap.csv").wells
    files = [[folder / "images" / w.metadata[c] for c in ("channel_1_gfp", "channel_2_dna")] for w in wells]
    preprocessing = Preprocessing(
        limits=sampled_limits(files, downscale=card.downscale), size=card.size, downscale=card.downscale
    )
    cut = [prepare(read_site(pair), preprocessing) for pair in files]
    well, tiles = np.repeat(np.arange(len(wells)), [len(t) for t in cut]), np.concatenate(cut)
    with_cells = ~blank_tiles(tile_contrast(tiles), well, ImageQcParameters().blank)
    tiles, well = tiles[with_cells], well[with_cells]
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
                quality = separation(scores.on[labels > 0], scores.on[labels < 0])
                cells.append(f"{quality.z_prime:.2f} / {scores.tile_accuracy(labels != 0):.3f}")
            yield f"| {name} | {c:g} | " + " | ".join(cells) + " |"
    yield ""


def _memory() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Print the tables, and write each into the page between its marks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--bbbc013", type=Path)
    parser.add_argument("--page", type=Path, help="a Markdown file with the marks, rewritten in place")
    parser.add_argument("--only", action="append", help="a table by name; may be repeated")
    options = parser.parse_args()
    plates = 20 if options.quick else 200
    tables = {
        "speed": lambda: speed(options.quick),
        "calibration": lambda: calibration(plates),
        "plate effects": lambda: plate_effects(plates // 4),
        "off-axis onsets": lambda: off_axis_onsets(plates // 10),
        "chance": lambda: chance(plates),
    } | ({"whitenings": lambda: whitenings(options.bbbc013)} if options.bbbc013 else {})
    for name in options.only or tables:
        text = "\n".join(tables[name]())
        print(text, flush=True)
        if options.page:
            write_between(options.page, name, text)


if __name__ == "__main__":
    main()
