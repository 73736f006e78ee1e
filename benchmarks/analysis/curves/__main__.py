"""Write the calibration tables of docs/dose-response.md.

`python -m benchmarks.analysis.curves` writes them all; `--quick` runs a tenth of the simulations and prints them, and
`--only TEXT` writes the tables whose title contains the text and keeps the others. The efficacy of negative controls is
-1, that of positive controls +1; the noise of a well is 0.25 unless a table says otherwise; seeds 0 to 4 are pooled.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.analysis.curves.accuracy import bias, coverage, model_choice, type_one
from benchmarks.analysis.curves.designs import bounds, plates, small_designs
from benchmarks.analysis.curves.noise import downweighting, inert_screens, other_noise
from benchmarks.analysis.curves.screens import false_discoveries, outliers
from benchmarks.analysis.curves.speed import speed
from benchmarks.analysis.curves.verdicts import kinds
from benchmarks.tables import write_between

SECTIONS: tuple[tuple[str, Callable[[int], list[str]], int], ...] = (
    ("Every kind of design and noise", kinds, 4),
    ("Type I error of the activity test (p, before Benjamini–Hochberg)", type_one, 2000),
    ("Type I error with noise that is not normal", other_noise, 100),
    ("300 inert compounds: false calls per screen (6×3, q ≤ 0.05)", inert_screens, 300),
    ("Type I error with wells that share plates", plates, 100),
    ("Verdicts of small designs, bumps and rescues", small_designs, 40),
    ("Bounds and intervals by the place of the true EC50 (6×3, slopes 0.8, 1.5, 3)", bounds, 30),
    ("The price of downweighting", downweighting, 80),
    ("Coverage of the 95 % intervals (of EC50s where that model was chosen)", coverage, 100),
    ("Choice of model by AICc (6×6)", model_choice, 300),
    ("False discovery rate (a fifth active, effect a quarter of the span)", false_discoveries, 10),
    ("Bias of the EC50 (hill, slope 1.5)", bias, 200),
    ("Two gross outliers in 35 wells", outliers, 100),
    ("Speed", speed, 3000),
)


def report(scale: float, only: str, page: str) -> str:
    """All tables, in Markdown; those whose title lacks `only` are those of the page."""
    parts = []
    for title, run, n in SECTIONS:
        head = f"### {title}"
        if only in title:
            start = time.perf_counter()
            parts += [head, "", *run(max(int(n * scale), 4)), ""]
            print(f"{title}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
        elif head in page:
            # A table ends at the next title, or at the mark that ends all of them.
            rest = page.partition(head)[2]
            parts += [head + rest[: min(rest.find(end) for end in ("### ", "<!--") if end in rest)].rstrip(), ""]
    return "\n".join(parts)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of the simulations, printed and not written")
    parser.add_argument("--only", default="", help="a part of the titles of the tables that are written")
    parser.add_argument("--out", type=Path, default=Path("docs/dose-response.md"))
    arguments = parser.parse_args()
    text = report(0.1 if arguments.quick else 1.0, arguments.only, arguments.out.read_text(encoding="utf-8"))
    if arguments.quick:
        print(text)
        return
    write_between(arguments.out, "calibration", text)


if __name__ == "__main__":
    main()
