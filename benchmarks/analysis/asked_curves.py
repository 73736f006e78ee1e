"""Coverage of the intervals of EC50s where a user asks for the curve, and type I errors of the weighted activity test
and of the test of parallel curves.

`OMP_NUM_THREADS=1 python -m benchmarks.analysis.asked_curves [N]` prints the tables of docs/dose-response.md (N curves
or pairs of each truth, seed 0).
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from gandl_science.arrays import Float
from gandl_science.dose_response.families.refit import first_model, refit_curves
from gandl_science.dose_response.families.request import CurveRequest, Limits, ModelRequest
from gandl_science.dose_response.fit import fit_curves
from gandl_science.dose_response.models import SearchSpace
from gandl_science.dose_response.quantities.parallelism import WellPair, compare_curves
from gandl_science.dose_response.records.inputs import CurveOptions, DoseResponseData
from scipy.stats import binomtest

DOSES = np.repeat(np.geomspace(0.01, 10, 9), 4)
ZERO = Limits(0, 0)
LEVELS = (0.05, 0.01)


@dataclass(frozen=True, kw_only=True)
class Truth:
    """A curve with its EC50, the noise of a well, and the request by which it is fitted."""

    name: str
    curve: Callable[[Float], Float]
    ec50: float
    sd: float
    request: CurveRequest


def _hill(c: Float) -> Float:
    return np.asarray(1 / (1 + (0.5 / c) ** 1.5))


def _richards(c: Float) -> Float:
    return np.asarray((1 + (2 ** (1 / 0.4) - 1) * (0.5 / c) ** 2.5) ** -0.4)


def _hormesis(c: Float) -> Float:
    return np.asarray((1 + 2.0 * c) / (1 + (1 + 4.0) * c**2.5))


TRUTHS = (
    Truth(
        name="hill, plateaus fixed", curve=_hill, ec50=0.5, sd=0.15, request=CurveRequest(bottom=ZERO, top=Limits(1, 1))
    ),
    Truth(
        name="hill, bottom bounded", curve=_hill, ec50=0.5, sd=0.15, request=CurveRequest(bottom=Limits(-0.05, 0.05))
    ),
    Truth(
        name="5PL",
        curve=_richards,
        ec50=0.5,
        sd=0.05,
        request=CurveRequest(model=ModelRequest.FIVE_PARAMETER, bottom=ZERO),
    ),
    Truth(
        name="Brain-Cousens, bottom 0",
        curve=_hormesis,
        ec50=1.0,
        sd=0.1,
        request=CurveRequest(model=ModelRequest.BRAIN_COUSENS, bottom=ZERO),
    ),
)


def coverage(truth: Truth, n: int) -> str:
    """Return a row of the table of coverage."""
    rng = np.random.default_rng(0)
    options = CurveOptions(n_null=1000, model=first_model(truth.request))
    data = [DoseResponseData(DOSES, truth.curve(DOSES) + rng.normal(size=DOSES.size) * truth.sd) for _ in range(n)]
    fits = refit_curves(data, fit_curves(data, options, rng), [""] * n, request=truth.request, options=options)
    ends = [fit.ec50 for fit in fits if fit.ec50 is not None]
    n_covered = sum((end.low or 0.0) <= truth.ec50 <= (end.high or np.inf) for end in ends)
    return f"| {truth.name} | {_rate(n_covered, len(ends))} |"


def type_one(n: int) -> list[str]:
    """Return the rows of the weighted activity test: the top doses scatter two and five times as much."""
    rng = np.random.default_rng(0)
    c = np.repeat(np.geomspace(0.01, 10, 7), 3)
    sd = np.where(c > 5, 5.0, np.where(c > 1, 2.0, 1.0))
    inert = [rng.normal(size=c.size) * sd for _ in range(n)]
    rows = []
    for name, weight in (("weights 1 / variance", 1 / sd**2), ("no weights", None)):
        fits = fit_curves([DoseResponseData(c, y, weight=weight) for y in inert], CurveOptions(), rng)
        for level in LEVELS:
            significant = sum(fit.p_value is not None and fit.p_value <= level for fit in fits)
            rows.append(f"| {name} | {level:g} | {_rate(significant, n)} |")
    return rows


def parallelism(n: int) -> list[str]:
    """Return the rows of pairs whose true curves are parallel, and of pairs whose slopes are 1 and 2.5.

    The second compound is three times as potent as the first.
    """
    rows = []
    for wells in (3, 6):
        c = np.repeat(np.geomspace(0.01, 10, 6), wells)
        space = SearchSpace(low=-3.0, high=2.0)
        for name, slopes in (("parallel", (1.5, 1.5)), ("slopes 1 and 2.5", (1.0, 2.5))):
            rng, results = np.random.default_rng(0), []
            for _ in range(n):
                pair = [-1 + 2 / (1 + (e / c) ** s) for e, s in zip((0.6, 0.2), slopes, strict=True)]
                response = np.concatenate(pair) + rng.normal(size=2 * c.size) * 0.25
                is_other = np.arange(2 * c.size) >= c.size
                both = WellPair(
                    concentration=np.tile(c, 2),
                    response=response,
                    weight=np.ones(2 * c.size),
                    is_other=is_other,
                    is_shared=np.zeros_like(is_other),
                    plate=np.zeros(2 * c.size, dtype=np.intp),
                )
                starts = [np.array([np.log10(e), np.log(s)]) for e, s in zip((0.6, 0.2), slopes, strict=True)]
                result = compare_curves(both, space, *starts)
                assert result is not None
                results.append(result)
            rejected = sum(result.p_value < LEVELS[0] for result in results)
            holds = sum((r.low or 0.0) <= 3.0 <= (r.high or np.inf) for r in results)
            ratio = _rate(holds, n).rsplit(" | ", 1)[0] if slopes[0] == slopes[1] else " | "
            rows.append(f"| {name} | 6×{wells} | {_rate(rejected, n)} | {ratio} |")
    return rows


def _rate(count: int, n: int) -> str:
    interval = binomtest(count, n).proportion_ci()
    return f"{count} / {n} | {100 * count / n:.2f} % | {100 * interval.low:.1f} – {100 * interval.high:.1f} %"


def main(n: int) -> None:
    """Print the tables."""
    print("| truth (9×4) | holds the truth | rate | 95 % interval |\n|---|---|---|---|")
    for truth in TRUTHS:
        print(coverage(truth, n), flush=True)
    print("\n| fit (7×3) | level | significant | rate | 95 % interval |\n|---|---|---|---|---|")
    print("\n".join(type_one(5 * n)))
    print("\n| pairs | design | not parallel at 5 % | rate | 95 % interval | ratio held | rate |")
    print("|---|---|---|---|---|---|---|")
    print("\n".join(parallelism(n)))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 400)
