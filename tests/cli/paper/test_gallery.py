"""The gallery of example fields: one per cell type and condition."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl.paper.gallery import composite, figure1
from gandl.simulate import Controls, DoseLadder
from gandl.simulate.published.rxrx19a import RXRX19A, simulate_rxrx19a
from gandl_shared.errors import BadInput


def test_each_condition_and_the_highest_dose_of_a_compound_is_shown(tmp_path: Path) -> None:
    tiny = replace(
        RXRX19A,
        compounds=RXRX19A.compounds[:1],
        cell_lines=("HRCE-like",),
        ladder=DoseLadder(count=2),
        replicates=1,
        controls=Controls(positive=2, negative=2),
        wells=96,
        size=64,
    )
    simulate_rxrx19a(tmp_path / "data", tiny)
    page = figure1(tmp_path / "data", ["Simudesivir"])
    assert {(row[0], row[1]) for row in page.rows} == {
        ("HRCE", "Mock"),
        ("HRCE", "Active SARS-CoV-2"),
        ("HRCE", "UV Inactivated SARS-CoV-2"),
        ("HRCE", "Simudesivir 30 µM"),
    }
    with pytest.raises(BadInput, match="no well with images holds Nope; the compounds are Simudesivir"):
        figure1(tmp_path / "data", ["Nope"], option=["Nope"])


def test_a_composite_is_stretched_between_its_percentiles() -> None:
    image = np.random.default_rng(0).integers(10, 60, (5, 300, 300)).astype(np.uint8)
    colour = composite(image)
    assert colour.shape == (256, 256, 3)
    assert 0 <= colour.min() < 0.1 < colour.max() <= 1
