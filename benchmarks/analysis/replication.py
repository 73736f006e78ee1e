"""The hit probability beside fresh experiments, and the speed of `gandl fit` beside lmfit, for docs/dose-response.md.

`python -m benchmarks.analysis.replication` writes both tables between their markers, `--only` one of them; `--quick`
prints a tenth. The speed is the wall clock and the processor time of commands: both programs read the same table, fit a
four-parameter curve, and give the 95 % profile interval of its EC50.
"""

from __future__ import annotations

import argparse
import itertools
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData, ResponseScale
from gandl_science.dose_response.verdict.interpretation import InterpretationRules, interpret_curve
from gandl_science.dose_response.verdict.replication import hit_probability

from benchmarks.tables import share, write_between

NOISE, LIMIT, SEEDS = 0.25, 0.01, range(5)
SCALE = ResponseScale()
RULES = InterpretationRules(scale=SCALE, alpha=LIMIT)
Truth = Callable[[Float], Float]
LMFIT = """
import csv, sys
from collections import defaultdict
import lmfit
import numpy as np

wells = defaultdict(list)
with open(sys.argv[1], newline="") as file:
    for row in csv.DictReader(file):
        wells[row["compound"]].append((float(row["concentration_um"]), float(row["response"])))


def residual(params, x, y):
    v = params.valuesdict()
    return v["bottom"] + (v["top"] - v["bottom"]) / (1 + 10 ** (v["slope"] * (v["e"] - x))) - y


for name, pairs in wells.items():
    x, y = np.log10([dose for dose, _ in pairs]), np.array([response for _, response in pairs])
    params = lmfit.Parameters()
    params.add("bottom", y.min())
    params.add("top", y.max())
    params.add("slope", 1.5, min=0.3, max=8)
    params.add("e", x.mean(), min=x.min() - 1, max=x.max() + 1)
    minimizer = lmfit.Minimizer(residual, params, fcn_args=(x, y))
    result = minimizer.minimize()
    try:
        interval = lmfit.conf_interval(minimizer, result, p_names=["e"], sigmas=[1.959964])
    except lmfit.MinimizerException:
        continue
"""


def hill(top: float) -> Truth:
    return lambda c: -1 + top / (1 + (0.3 / c) ** 1.5)


def bell(size: float) -> Truth:
    return lambda c: -1 + size / (1 + (0.1 / c) ** 2) / (1 + (c / 3) ** 3)


def fresh_hits(n: int) -> list[str]:
    """Rate of hits at p <= 0.01 among fresh experiments, and what their hit probabilities say."""
    truths = {"inert": hill(0.0)} | {f"rises by {top:g}": hill(top) for top in (0.3, 0.5, 0.8, 2.0)}
    truths |= {"falls by 0.5": hill(-0.5), "bell of 0.8": bell(0.8), "bell of 2": bell(2.0)}
    rows, shares, again = [], [], []
    for n_doses, replicates in ((6, 3), (8, 2), (8, 1)):
        doses = np.repeat(np.geomspace(0.01, 10.0, n_doses), replicates)
        for name, truth in truths.items():
            hits, means = _experiments(truth, doses, n)
            rate = share(int(hits.sum()), hits.size)
            rows.append(f"| {name} | {n_doses}×{replicates} | {rate} | {100 * means.mean():.1f} % |")
            # The experiments of one truth are new ones for each other.
            shares.append(means)
            again.append(np.full(means.size, hits.mean()))
    head = "| truth | design | hits | rate of fresh experiments | 95 % interval | mean hit probability |"
    return [head, "|---|---|---|---|---|---|", *rows, "", *_by_class(np.concatenate(shares), np.concatenate(again))]


def _experiments(truth: Truth, doses: Float, n: int) -> tuple[Float, Float]:
    hits, shares = [], []
    for seed in SEEDS:
        rng = np.random.default_rng(seed)
        data = [DoseResponseData(doses, truth(doses) + NOISE * rng.normal(size=doses.size)) for _ in range(n)]
        for fit in fit_curves(data, CurveOptions(scale=SCALE, n_replications=100), rng):
            hits.append(interpret_curve(fit, fit.p_value, RULES).verdict in ("active", "active_biphasic"))
            shares.append(hit_probability(fit.replications, LIMIT, RULES))
    return np.array(hits), np.array(shares, dtype=float)


def _by_class(shares: Float, again: Float) -> list[str]:
    """The rate at which compounds of a hit probability are hits in another experiment, all truths together."""
    edges = (0.0, 0.1, 0.3, 0.5, 0.7, 0.9, 1.01)
    rows = []
    for low, high in itertools.pairwise(edges):
        inside = (shares >= low) & (shares < high)
        if inside.any():
            name = f"{100 * low:.0f} – {100 * min(high, 1):.0f} %"
            rows.append(f"| {name} | {inside.sum()} | {100 * again[inside].mean():.0f} % |")
    return ["| hit probability | experiments | of them hits if done again |", "|---|---|---|", *rows]


@dataclass(frozen=True, kw_only=True)
class SpeedCase:
    """A table of compounds: doses and wells per dose, and whose doses they are."""

    name: str
    compounds: int
    n_doses: int = 6
    replicates: int = 3
    doses: str = "common"


SPEED = (
    SpeedCase(name="6×3, common doses", compounds=300),
    SpeedCase(name="6×3, common doses", compounds=3000),
    SpeedCase(name="6×3, one series, shifted for each compound", compounds=300, doses="shifted"),
    SpeedCase(name="6×3, doses at random for each compound", compounds=300, doses="random"),
    SpeedCase(name="6×3, doses at random for each compound", compounds=1000, doses="random"),
)
_LMFIT_COMPOUNDS = 20


def speed(factor: float) -> list[str]:
    """Time of both programs on the same tables; lmfit gets the first twenty compounds of each."""
    rows: list[str] = []
    earlier: dict[str, tuple[float, float]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for case in SPEED:
            count = max(int(case.compounds * factor), 20)
            text = _table(case, count)
            table, part = Path(folder, "table.csv"), Path(folder, "part.csv")
            table.write_text("\n".join(text) + "\n", encoding="utf-8")
            n_part = min(count, _LMFIT_COMPOUNDS)
            wells = case.n_doses * case.replicates
            part.write_text("\n".join(text[: 1 + n_part * wells]) + "\n", encoding="utf-8")
            out = str(Path(folder, "out.jsonl"))
            program = [sys.executable, "-c", "from gandl.main import run; run()"]
            ours = _times([*program, "fit", str(table), "--controls=-1,1", "--out", out])
            # Tables of one kind begin with the same compounds, and lmfit is slow.
            content = part.read_text(encoding="utf-8")
            theirs = earlier.get(content) or _times([sys.executable, "-W", "ignore", "-c", LMFIT, str(part)])
            earlier[content] = theirs
            own_rates, their_rates = (count / np.array(ours), n_part / np.array(theirs))
            ratios = own_rates / their_rates
            rows.append(
                f"| {case.name} | {count} | {own_rates[0]:.0f} | {their_rates[0]:.1f} | {ratios[0]:.0f} "
                f"| {own_rates[1]:.0f} | {their_rates[1]:.1f} | {ratios[1]:.0f} |"
            )
    load = os.getloadavg()[1]
    return [
        "| table | compounds | `gandl fit`, curves / s | lmfit, curves / s | ratio "
        "| `gandl fit`, curves / s of a processor | lmfit, the same | ratio |",
        "|---|---|---|---|---|---|---|---|",
        *rows,
        "",
        f"The load of the machine was {load:.1f} on {os.cpu_count()} cores (mean of five minutes, this run included).",
    ]


def _table(case: SpeedCase, count: int) -> list[str]:
    """Lines of a table: of twenty compounds sixteen are inert, three are Hill curves and one is a bell."""
    rng = np.random.default_rng(0)
    base = np.geomspace(0.01, 10.0, case.n_doses)
    lines = ["compound,cell_line,concentration_um,response"]
    for i in range(count):
        truth = hill(0.0) if i % 20 < 16 else hill(2.0) if i % 20 < 19 else bell(2.0)
        doses = base
        if case.doses == "shifted":
            doses = base * rng.uniform(1, 10)
        elif case.doses == "random":
            doses = base * 10 ** rng.uniform(-0.2, 0.2, base.size)
        for dose, response in zip(doses, truth(base), strict=True):
            wells = response + NOISE * rng.normal(size=case.replicates)
            lines += [f"C{i:05d},A,{dose:.6g},{well:.5g}" for well in wells]
    return lines


def _times(command: list[str]) -> tuple[float, float]:
    """Return the wall clock and the processor time of a command on one core, in seconds."""
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, env=environment)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    processor = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return time.perf_counter() - start, processor


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the work, printed and not written")
    parser.add_argument("--out", type=Path, default=Path("docs/dose-response.md"))
    parser.add_argument("--only", choices=("replication", "command speed"), help="one of the tables")
    arguments = parser.parse_args()
    factor = 0.1 if arguments.quick else 1.0
    tables: dict[str, Callable[[], list[str]]] = {
        "replication": lambda: fresh_hits(max(int(20 * factor), 4)),
        "command speed": lambda: speed(factor),
    }
    for name in tables if arguments.only is None else (arguments.only,):
        rows = tables[name]()
        if arguments.quick:
            print("\n".join(rows), end="\n\n")
        else:
            write_between(arguments.out, name, "\n".join(rows) + "\n")


if __name__ == "__main__":
    main()
