"""The numbers of the paper, which stand beside ours in every table; published.csv cites the place of each."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

NAMED_COMPOUNDS = ("Remdesivir", "GS-441524", "Polydatin")
"""The compounds of Figure 4: two that work in both cell lines, and an inert one."""
HIGHEST = {
    "HRCE": ("Bortezomib", "Halofuginone", "Ebastine", "Thimerosal", "Dichlorophen"),
    "VERO": ("Pacritinib", "Thymoquinone", "Hydroxychloroquine Sulfate", "Chloroquine"),
}
"""The compounds that the paper names as the most effective by Figure 5; it names five for HRCE and four for VERO."""


@dataclass(frozen=True, kw_only=True)
class PublishedAccuracy:
    """An accuracy of the paper in per cent, for a task and for features, with its place in the paper."""

    item: str
    task: str
    features: str
    percent: float
    source: str


@cache
def published_accuracies() -> Sequence[PublishedAccuracy]:
    """Return all accuracies that the paper gives."""
    text = (files("gandl.paper") / "published.csv").read_text(encoding="utf-8")
    return [
        PublishedAccuracy(
            item=row["item"],
            task=row["task"],
            features=row["features"],
            percent=float(row["accuracy_percent"]),
            source=row["source"],
        )
        for row in csv.DictReader(text.splitlines())
    ]


def accuracies_of(item: str, task: str) -> dict[str, float]:
    """Return the accuracies of a task in per cent, by the features of the paper."""
    return {a.features: a.percent for a in published_accuracies() if (a.item, a.task) == (item, task)}
