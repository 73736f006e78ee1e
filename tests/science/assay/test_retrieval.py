"""Average precisions are those of copairs under every restriction, and nothing is recognised by what is left out."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
from copairs.map import average_precision
from gandl_science.arrays import Index
from gandl_science.assay.retrieval import retrieve
from numpy.typing import NDArray

PLATES, POSITIONS = 3, 20


def design() -> tuple[Index, Index, Index]:
    """Return group, plate and position of the wells: on each plate, four wells of five treatments in other places."""
    rng = np.random.default_rng(4)
    rows = [(p, i) for p, i in product(range(PLATES), range(POSITIONS))]
    plates, positions = np.array(rows).T
    groups = np.concatenate([rng.permutation(POSITIONS) % 5 for _ in range(PLATES)])
    return groups, plates, positions


def profiles(seed: int = 0) -> NDArray[np.float64]:
    rng = np.random.default_rng(seed)
    groups, plates, _ = design()
    return rng.normal(size=(len(groups), 12)) + rng.normal(size=(5, 12))[groups] + rng.normal(size=(PLATES, 12))[plates]


@pytest.mark.parametrize("restriction", ["none", "plate", "position"])
def test_average_precision_is_that_of_copairs(restriction: str) -> None:
    groups, plates, positions = design()
    meta = pd.DataFrame({"group": groups, "plate": plates, "position": positions})
    different = [] if restriction == "none" else [restriction]
    x = profiles()
    theirs = average_precision(meta, x, ["group"], different, [], ["group", *different], progress_bar=False)
    excluded = {"none": [], "plate": [plates], "position": [positions]}[restriction]
    ours = retrieve(x, groups, excluded)
    precision = theirs["average_precision"].dropna()
    assert ours is not None
    assert ours.queries == len(precision)
    assert ours.mean_average_precision == pytest.approx(precision.mean(), rel=1e-5)


def test_what_is_shared_with_the_plate_counts_only_without_restriction() -> None:
    """Treatments that lie on one plate each are recognised by it, which other plates show."""
    rng = np.random.default_rng(0)
    plates = np.repeat(np.arange(4), 12)
    groups = np.tile(np.arange(4), 12)
    x = rng.normal(size=(48, 6)) + 20 * rng.normal(size=(4, 6))[plates]
    free, restricted = retrieve(x, groups, []), retrieve(x, groups, [plates])
    assert free is not None
    assert restricted is not None
    assert restricted.recall_at_1 == pytest.approx(restricted.chance, abs=0.2)
    same = retrieve(x, plates, [])
    assert same is not None
    assert (same.recall_at_1, retrieve(x, plates, [plates])) == (1.0, None)


def test_controls_are_candidates_and_no_queries() -> None:
    x = np.array([[1, 0], [1, 0.1], [1, 0.05], [0, 1]])
    result = retrieve(x, np.array([0, 0, -1, -1]), [])
    assert result is not None
    assert (result.queries, result.recall_at_1, result.mean_average_precision) == (2, 0.0, 0.5)


def test_a_sample_of_queries_is_seeded() -> None:
    groups, _, _ = design()
    one, two = (retrieve(profiles(), groups, [], seed=3, max_queries=10) for _ in range(2))
    assert one == two
    assert one is not None
    assert one.queries == 10


def test_ties_are_no_luck() -> None:
    result = retrieve(np.ones((4, 2)), np.array([0, 0, 1, 1]), [])
    assert result is not None
    assert result.recall_at_1 == 0
