"""What a trained featurizer adds to a screen: the page docs/results.md.

    python -m benchmarks.screens --bbbc013 ../shared/data/bbbc013 --out docs/results.md

Two screens are analysed with trained featurizers, with the network of the first one untrained, and with plain
intensity statistics: BBBC013, which is real and has a reference by segmentation, and the simulator's preset
`screen-24`, whose truth is known. The untrained network needs the training part.
"""

from __future__ import annotations

import argparse
import csv
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gandl.featurizers.function import intensity_featurizer
from gandl.featurizers.tiles import TileForm
from gandl.screening.run import ScreenJob, run
from gandl.simulate import preset, simulate_screen
from gandl.simulate.truth import Recovery, compare, read_truth
from gandl.terminal.texts import interval_text, location_text
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_embedding.engine import Engine
from gandl_shared.models import Embedder, ModelCard
from gandl_shared.schemas.curve import Relation
from gandl_shared.schemas.quality import CellLineProbes
from scipy.stats import spearmanr

from benchmarks.tables import row

MODELS = Path(__file__).parents[1] / "models"
COMPOUNDS = ("Wortmannin", "LY294002")
SEGMENTATION = "| segmentation: nucleus/cytoplasm GFP ratio | 0.62 | | | 12.0 nM | 5.0 µM | | |"


@dataclass(frozen=True)
class Folder:
    """A screen on disk."""

    images: Path
    plate_map: Path


def main() -> None:
    """Run both screens with all features and write the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bbbc013", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        work = Path(scratch)
        real = bbbc013_rows(Folder(options.bbbc013 / "images", options.bbbc013 / "platemap.csv"), work / "real")
        simulated = simulated_rows(work / "simulated")
    options.out.write_text(page(real, simulated), encoding="utf-8")
    sys.stdout.write(options.out.read_text(encoding="utf-8"))


def features_of(names: Sequence[str], training: Folder, work: Path, channels: str) -> dict[str, Embedder]:
    """Return the embedders by the title of their table row. All of them receive the tiles of the first model."""
    models = {name: Engine.load(MODELS / f"{name}.onnx") for name in names}
    first = models[names[0]].card
    titles = {
        f"`{name}`: tap `{model.card.tap}`, {model.card.training.kimg:,.0f} thousand crops": model
        for name, model in models.items()
    }
    return {
        **titles,
        "an untrained network of the same architecture": Engine.load(untrained_model(first, training, work, channels)),
        "intensity statistics": intensity_featurizer(TileForm.of_card(first)),
    }


def untrained_model(card: ModelCard, training: Folder, work: Path, channels: str) -> Path:
    """Export the discriminator as it is before the first training step, and return the file of the model."""
    gandl = Path(sys.executable).with_name("gandl")
    files = [training.images, "--platemap", training.plate_map, "--out", work / "run"]
    shape = ["--resolution", card.size, "--downscale", card.downscale, "--kimg", "0.1", "--channel-names", channels]
    export = [work / "run", "--untrained", "--tap", card.tap, "--out", work / "untrained.onnx"]
    for command in (["train", *files, *shape], ["export", *export]):
        subprocess.run([str(gandl), *map(str, command)], check=True, capture_output=True)
    return work / "untrained.onnx"


def screened(folder: Folder, embedder: Embedder, out: Path) -> tuple[ScreenAnalysis, float]:
    """Return the analysis of a screen and the seconds that it took."""
    start = time.perf_counter()
    analysis = run(ScreenJob(images=folder.images, plate_map=folder.plate_map, out=out), embedder)
    return analysis, time.perf_counter() - start


def bbbc013_rows(folder: Folder, work: Path) -> list[str]:
    """Return one table row per kind of features."""
    rows = []
    models = ("gandl-bbbc013-64", "gandl-bbbc013-contrast-64")
    for i, (title, embedder) in enumerate(features_of(models, folder, work, "GFP,DNA").items()):
        analysis, seconds = screened(folder, embedder, work / f"out{i}")
        quality = analysis.quality.cell_lines["U2OS"]
        curves = {c.compound: c for c in analysis.curves}
        ec50s = [f"{location_text(curves[c].ec50)} ({interval_text(curves[c].ec50)})" for c in COMPOUNDS]
        rhos = " / ".join(f"{rank_correlation(analysis, c):.2f}" for c in COMPOUNDS)
        numbers = [quality.z_prime, quality.z_prime_robust, quality.accuracy]
        rows.append(
            row(title, *(f"{n:.2f}" for n in numbers[:2]), f"{numbers[2]:.3f}", *ec50s, rhos, f"{seconds:.0f} s")
        )
    return [*rows, SEGMENTATION]


def rank_correlation(analysis: ScreenAnalysis, compound: str) -> float:
    """Return Spearman's coefficient of efficacy against dose over the wells of a compound."""
    wells = [w for w in analysis.wells if w.compound == compound and w.role == "treatment"]
    return float(spearmanr([w.concentration_um for w in wells], [w.efficacy for w in wells]).statistic)


def simulated_rows(work: Path) -> list[str]:
    """Return one table row per kind of features; the featurizer was trained on another preset with another seed."""
    evaluation = simulate_screen(work / "screen-24", preset("screen-24"), processes=2)
    training = simulate_screen(work / "training", preset("demo"), processes=2)
    truths = read_truth(evaluation.truth)
    folder = Folder(evaluation.images, evaluation.platemap)
    rows = []
    embedders = features_of(
        ["gandl-sim5-64"], Folder(training.images, training.platemap), work, "DNA,ER,actin,RNA,Golgi"
    )
    for i, (title, embedder) in enumerate(embedders.items()):
        analysis, seconds = screened(folder, embedder, work / f"out{i}")
        recoveries = compare(truths, analysis.curves)
        z_primes = " / ".join(f"{q.z_prime:.2f}" for q in analysis.quality.cell_lines.values())
        accuracies = " / ".join(f"{q.accuracy:.3f}" for q in analysis.quality.cell_lines.values())
        unseen = " / ".join(unseen_plates(probes) for probes in analysis.quality.probes.values())
        right = sum(r.is_right for r in recoveries)
        rows.append(
            row(
                title,
                f"{right} of {len(recoveries)}",
                inert(recoveries),
                error(recoveries),
                z_primes,
                accuracies,
                unseen,
                cell_lines_apart(analysis),
                f"{seconds:.0f} s",
            )
        )
        if i == 0:
            write_details(recoveries)
    return rows


def unseen_plates(probes: CellLineProbes) -> str:
    """Return the accuracy of control tiles by axes that were fitted without any well of their plate."""
    unseen = probes.unseen_plates
    return f"{unseen.accuracy:.3f}" if unseen and unseen.accuracy is not None else "–"


def cell_lines_apart(analysis: ScreenAnalysis) -> str:
    """Return the accuracy of tiles and wells on the axis between the cell lines (C2), and what was held out."""
    (axis,) = [a for a in analysis.axes if a.name == "C2"]
    if axis.quality is None or axis.quality.accuracy is None:
        return "–"
    wells = axis.quality.well_accuracy or 0.0
    return f"{axis.quality.accuracy:.3f} / {wells:.3f} (by {axis.quality.grouped_by})"


def inert(recoveries: Sequence[Recovery]) -> str:
    """Return how many inert compounds were called inactive."""
    calls = [r.is_right for r in recoveries if r.truth.behaviour == "inert"]
    return f"{sum(calls)} of {len(calls)}"


def error(recoveries: Sequence[Recovery]) -> str:
    """Return the median |log2(estimate / truth)| over the curves with a true and an estimated EC50."""
    pairs = [(r.curve.ec50, r.truth.ec50_um) for r in recoveries if r.truth.ec50_um is not None]
    errors = [
        abs(np.log2(estimate.value / truth))
        for estimate, truth in pairs
        if estimate.value is not None and estimate.relation is Relation.EQUAL
    ]
    return f"{np.median(errors):.2f} ({len(errors)} of {len(pairs)})" if errors else "none found"


def write_details(recoveries: Sequence[Recovery]) -> None:
    """Write one line per curve into a CSV file beside the page."""
    path = Path(__file__).parents[1] / "docs" / "results-screen-24.csv"
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["compound", "cell_line", "behaviour", "true_ec50_um", "found", "interval", "verdict", "right"])
        for recovery in recoveries:
            truth, curve = recovery.truth, recovery.curve
            estimate = [location_text(curve.ec50), interval_text(curve.ec50), curve.verdict, recovery.is_right]
            writer.writerow([truth.compound, truth.cell_line, truth.behaviour, truth.ec50_um or "", *estimate])


def page(real: Sequence[str], simulated: Sequence[str]) -> str:
    """Return the text of docs/results.md."""
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return "\n".join(
        [
            "# What the featurizer adds",
            "",
            "`python -m benchmarks.screens --bbbc013 ../shared/data/bbbc013 --out docs/results.md` writes this page.",
            f"It ran on two CPU cores with at most {memory:.1f} GB of memory. All metrics of controls are out of fold.",
            "",
            "## BBBC013: 96 real wells, two compounds, folds by row",
            "",
            "EC50s are in µM, with 95 % profile-likelihood intervals. The images are BBBC013v1, provided by Ilya",
            "Ravkin, Broad Bioimage Benchmark Collection (Ljosa et al., Nature Methods 2012), CC BY 3.0.",
            "",
            row(
                "features of 64-px tiles",
                "Z′",
                "robust Z′",
                "tile accuracy",
                "EC50 wortmannin",
                "EC50 LY294002",
                "Spearman of efficacy and dose",
                "`gandl screen`",
            ),
            "|---|---|---|---|---|---|---|---|",
            *real,
            "",
            "## Simulated: 2 cell lines × 12 compounds × 6 doses × 4 replicates, folds by row over all plates",
            "",
            "This is the preset `screen-24`, whose seed was fixed before any training. A curve counts as right where",
            "its EC50 is within a factor of 2 of the truth, where an inert compound is called inactive, or where a",
            "toxin is not called a hit. [Every curve is listed in a table](results-screen-24.csv).",
            "",
            row(
                "features",
                "curves right",
                "inert called inactive",
                "median abs. log2 error of EC50 (found)",
                "Z′ by cell line",
                "tile accuracy",
                "the same, plates held out",
                "accuracy between cell lines (C2), tiles / wells",
                "`gandl screen`",
            ),
            "|---|---|---|---|---|---|---|---|---|",
            *simulated,
            "",
        ]
    )


if __name__ == "__main__":
    main()
