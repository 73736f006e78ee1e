"""Single cells at several scales: whether vectors of enlarged and of reduced tiles add to those of the tiles.

    python -m benchmarks.training.scales ../shared/data/mitocheck_cells/images untrained:0:multi \
        models/gandl-nuclei-64.onnx

Each line is a set of scales whose vectors are joined, with the weighted F1 of `gandl probe`, its interval over plates,
and the number of features.
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
from gandl_science.assay.label_probe import probe_labels
from gandl_shared.plates import single_cells
from numpy.typing import NDArray
from PIL import Image

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
        for names in SETS:
            probe = probe_labels(np.concatenate([vectors[name] for name in names], axis=1), labels, groups)
            features = sum(vectors[name].shape[1] for name in names)
            print(f"{model} {' + '.join(names)}: {estimate_text(probe.weighted_f1)}, {features} features", flush=True)


if __name__ == "__main__":
    main()
