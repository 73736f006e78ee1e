"""Single cells at several scales: whether vectors of enlarged and of reduced tiles add to those of the tiles.

    python -m benchmarks.training.scales ../shared/data/mitocheck_cells/images untrained:0:multi \
        models/gandl-nuclei-64.onnx

Each line is a set of scales whose vectors are joined, with the weighted F1 of `gandl probe`, its interval over plates,
the number of features, and how much F1 the set has more than the tile alone, with an interval over the same plates.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from gandl.probing.folders import CellFolder
from gandl.probing.vectors import tiles_of
from gandl.screening.featurizers import TileOptions
from gandl.terminal.probe_table import estimate_text
from gandl_science.assay.label_probe import RESAMPLES, LabelProbe, probe_labels
from gandl_shared.plates import single_cells
from numpy.typing import NDArray
from PIL import Image
from sklearn.metrics import f1_score

Tiles = NDArray[np.uint8]
NAMES = "{phenotype}/PL{plate}--{any}.png"
SETS = (("tile",), ("centre",), ("half",), ("tile", "half"), ("tile", "centre"), ("tile", "centre", "half"))


def centre(tiles: Tiles) -> Tiles:
    """Return the middle half of each tile, enlarged to the size of the tile."""
    edge = tiles.shape[-1]
    box = (edge // 4, edge // 4, 3 * edge // 4, 3 * edge // 4)
    planes = [Image.fromarray(p).crop(box).resize((edge, edge), Image.Resampling.BILINEAR) for p in planes_of(tiles)]
    return np.stack([np.asarray(plane) for plane in planes]).reshape(tiles.shape)


def half(tiles: Tiles) -> Tiles:
    """Return each tile at half its size, with the median of its border around it."""
    edge = tiles.shape[-1]
    planes = planes_of(tiles).reshape(-1, edge // 2, 2, edge // 2, 2).mean((2, 4)).round().astype(np.uint8)
    borders = np.concatenate([planes[:, 0], planes[:, -1], planes[:, :, 0], planes[:, :, -1]], axis=1)
    result = np.repeat(np.median(borders, axis=1).astype(np.uint8), edge**2).reshape(-1, edge, edge)
    result[:, edge // 4 : 3 * edge // 4, edge // 4 : 3 * edge // 4] = planes
    return result.reshape(tiles.shape)


def planes_of(tiles: Tiles) -> Tiles:
    """Return the channels of tiles [N, C, S, S] one after the other, [N·C, S, S]."""
    return tiles.reshape(-1, *tiles.shape[2:])


SCALES: Mapping[str, Callable[[Tiles], Tiles]] = {"tile": lambda tiles: tiles, "centre": centre, "half": half}


def gain_text(probe: LabelProbe, base: LabelProbe, labels: NDArray[np.intp], groups: NDArray[np.intp]) -> str:
    """Return by how much the weighted F1 of `probe` is above that of `base`, with its 95 % interval over groups."""

    def gain(weights: NDArray[np.float64]) -> float:
        scores = [
            f1_score(labels, p.predicted, average="weighted", sample_weight=weights, zero_division=0)
            for p in (probe, base)
        ]
        return float(scores[0] - scores[1])

    count = int(groups.max()) + 1
    draws = np.random.default_rng(0).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    low, high = np.percentile([gain(draw[groups].astype(float)) for draw in draws], [2.5, 97.5])
    return f"{gain(np.ones(len(labels))):+.3f} ({low:+.3f} to {high:+.3f})"


def main() -> None:
    """Print a line for each model and set of scales."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cells", type=Path)
    parser.add_argument("models", nargs="+", metavar="MODEL")
    options = parser.parse_args()
    folder = CellFolder(sites=single_cells(options.cells), names=NAMES)
    for model in options.models:
        embedder = folder.featurizer(model, TileOptions(), threads=None)
        images = folder.prepared(embedder.card)
        tiles = np.concatenate([tiles_of(site, images.preparation(site)) for site in images.sites])
        vectors = {name: embedder.embed(scale(tiles)) for name, scale in SCALES.items()}
        labels, groups = (
            np.unique([columns[key] for columns in images.columns], return_inverse=True)[1]
            for key in ("phenotype", "plate")
        )
        base = probe_labels(vectors["tile"], labels, groups)
        for names in SETS:
            joined = np.concatenate([vectors[name] for name in names], axis=1)
            probe = probe_labels(joined, labels, groups)
            text = f"{estimate_text(probe.weighted_f1)}, {joined.shape[1]} features"
            print(f"{model} {' + '.join(names)}: {text}, {gain_text(probe, base, labels, groups)}", flush=True)


if __name__ == "__main__":
    main()
