"""Recovery of a known truth: 200 simulated compounds of every curve shape, from images to verdicts.

    python -m benchmarks.analysis.recovery --page docs/recovery.md --figure docs/images/recovery.png

It simulates a screen of 8 plates of 384 wells, 6 doses in 2 replicates (2 GB; `--screen FOLDER` keeps it for the next
run), analyses it as `gandl screen` does, and writes the scatter plot of EC50s, the table of verdicts against the truth,
and the ranks of toxins among the hits. The seed of the compounds was fixed before the first run.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from gandl.screening.run import ScreenJob, run
from gandl.simulate import Compound, Controls, DoseLadder, Response, ScreenDesign, default_processes, simulate_screen
from gandl.simulate.truth import Recovery, compare, read_truth
from gandl_analysis.figures.svg import to_png
from gandl_analysis.pipeline.ranking import rank_compounds
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_embedding.engine import Engine
from gandl_shared.schemas.vocabulary import Verdict

from benchmarks.analysis.recovery_figure import recovery_figure
from benchmarks.tables import row, share, write_between

MODEL = Path(__file__).parents[2] / "models" / "gandl-sim5-64.onnx"
CELL_LINE = "HRCE-like"
LADDER = DoseLadder(top_um=30.0, count=6)
REPLICATES = 2
SEED = 20261105
TOP = 20


def compounds(seed: int = SEED) -> list[Compound]:
    """Return the compounds. A name begins with the kind, by which tables group; EC50s are uniform in logarithm."""
    rng = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(f"{10 ** rng.uniform(np.log10(low), np.log10(high)):.4g}")

    def several(n: int, name: str, **ranges: tuple[float, float]) -> list[Compound]:
        responses = [Response(**{k: between(*r) for k, r in ranges.items()}) for _ in range(n)]
        return [Compound(f"{name} {i + 1}", response) for i, response in enumerate(responses)]

    rescue = {"slope": (1.0, 2.5), "max_rescue": (0.85, 1.0)}
    poison = {"toxicity_slope": (1.8, 3.0)}
    return [
        *several(60, "rescue", ec50_um=(0.05, 8.0), **rescue),
        *several(30, "partial rescue", ec50_um=(0.05, 8.0), slope=(1.0, 2.5), max_rescue=(0.4, 0.7)),
        *several(10, "rescue beyond the highest dose", ec50_um=(40.0, 120.0), **rescue),
        *several(10, "rescue below the lowest dose", ec50_um=(0.004, 0.02), **rescue),
        *several(40, "rescue then toxic", ec50_um=(0.05, 0.6), toxicity_ec50_um=(6.0, 18.0), **rescue, **poison),
        *several(30, "toxin", toxicity_ec50_um=(0.3, 12.0), **poison),
        *several(20, "inert"),
    ]


def kind_of(recovery: Recovery) -> str:
    """Return the name of a compound without its number."""
    return recovery.truth.compound.rsplit(" ", 1)[0]


def screen(folder: Path, out: Path) -> tuple[list[Recovery], ScreenAnalysis]:
    """Simulate into `folder` unless it exists, screen it, and return every truth with its curve."""
    if not folder.exists():
        design = ScreenDesign(
            compounds=tuple(compounds()),
            cell_lines=(CELL_LINE,),
            ladder=LADDER,
            replicates=REPLICATES,
            controls=Controls(positive=16, negative=16),
            wells=384,
            seed=SEED,
        )
        simulate_screen(folder, design, processes=default_processes())
    job = ScreenJob(images=folder / "Images", plate_map=folder / "platemap.csv", out=out)
    analysis = run(job, Engine.load(MODEL))
    return compare(read_truth(folder / "truth.csv"), analysis.curves), analysis


def verdicts(recoveries: Sequence[Recovery]) -> list[str]:
    """Return the table of kinds against verdicts."""
    kinds = list(dict.fromkeys(map(kind_of, recoveries)))
    pairs = Counter((kind_of(recovery), recovery.curve.verdict) for recovery in recoveries)
    head = row("truth", "compounds", *(f"`{verdict}`" for verdict in Verdict))
    lines = [head, "|---|---|" + "---|" * len(Verdict)]
    for kind in kinds:
        counts = [pairs[kind, verdict] for verdict in Verdict]
        lines.append(row(kind, sum(counts), *counts))
    return lines


def ec50s(recoveries: Sequence[Recovery]) -> list[str]:
    """Return the table of reported EC50s, and whether they are true."""
    head = (
        "truth",
        "reported with `=`",
        "within a factor of 2",
        "median error, decades",
        "interval holds the truth",
        "rate",
        "95 % interval",
    )
    lines = [row(*head, "`<` or `>`", "true"), "|---|---|---|---|---|---|---|---|---|"]
    kinds = dict.fromkeys(map(kind_of, recoveries))
    groups = {kind: [j for j in recoveries if kind_of(j) == kind] for kind in kinds}
    groups = {kind: members for kind, members in groups.items() if members[0].truth.ec50_um is not None}
    for kind, members in (groups | {"all": [j for m in groups.values() for j in m]}).items():
        reported = [(j.curve.ec50, j.truth.ec50_um or 0.0) for j in members if j.curve.ec50.value is not None]
        equal = [(e, t) for e, t in reported if e.relation == "="]
        sided = [
            (e.value or 0.0) < t if e.relation == ">" else (e.value or 0.0) > t
            for e, t in reported
            if e.relation != "="
        ]
        errors = np.array([np.log10((e.value or np.nan) / t) for e, t in equal])
        near = int((np.abs(errors) <= np.log10(2)).sum())
        covering = sum((e.low or 0.0) <= t <= (e.high or np.inf) for e, t in reported)
        middle = f"{np.median(errors):+.3f}" if len(errors) else ""
        lines.append(
            row(
                kind,
                f"{len(equal)} of {len(members)}",
                near,
                middle,
                share(covering, len(reported)),
                len(sided),
                sum(sided),
            )
        )
    return lines


def toxins(analysis: ScreenAnalysis) -> str:
    """Return a sentence on the ranks of the toxins."""
    ranked = {hit.compound: hit.rank for hit in rank_compounds(analysis.curves)}
    toxin_ranks = {name: number for name, number in ranked.items() if name.startswith("toxin ")}
    hits = {name: number for name, number in toxin_ranks.items() if number is not None}
    total = sum(number is not None for number in ranked.values())
    among = sum(number <= TOP for number in hits.values())
    listing = (
        ", ".join(f"{name} at {number}" for name, number in sorted(hits.items(), key=lambda hit: hit[1])) or "none"
    )
    return (
        f"Of {len(toxin_ranks)} toxins {len(hits)} have a rank among the {total} hits ({listing}); "
        f"{among} are among the first {TOP}."
    )


def main() -> None:
    """Run the benchmark, print its tables, and write page and figure."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--screen", type=Path, help="folder of the simulated screen; it is kept")
    parser.add_argument("--page", type=Path)
    parser.add_argument("--figure", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        recoveries, analysis = screen(arguments.screen or Path(scratch) / "screen", Path(scratch) / "out")
    z_prime, plates = analysis.quality.cell_lines[CELL_LINE].z_prime, len(analysis.quality.plates)
    about = f"Model `{MODEL.stem}`, Z′ {z_prime:.2f}, {len(analysis.wells):,} wells on {plates} plates."
    text = "\n".join([about, "", *verdicts(recoveries), "", *ec50s(recoveries), "", toxins(analysis)])
    print(text)
    if arguments.page:
        write_between(arguments.page, "recovery", text)
    if arguments.figure:
        arguments.figure.write_bytes(to_png(recovery_figure(recoveries, LADDER.doses())))


if __name__ == "__main__":
    start = time.perf_counter()
    main()
    print(f"{time.perf_counter() - start:.0f} s", file=sys.stderr)
