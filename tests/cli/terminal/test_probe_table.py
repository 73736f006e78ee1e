"""Label probes as tables."""

from __future__ import annotations

from pathlib import Path

from gandl.terminal.probe_table import estimate_text, print_probes, probes_csv
from gandl_science.assay.label_probe import Estimate
from rich.console import Console

from tests.cli.probing.images import write_cells
from tests.cli.probing.test_probe import probed


def test_an_estimate_is_one_text() -> None:
    assert estimate_text(Estimate(value=0.537, low=0.488, high=0.592)) == "0.54 (0.49 to 0.59)"


def test_a_table_fits_eighty_columns(tmp_path: Path) -> None:
    model = probed(write_cells(tmp_path / "cells"))
    console = Console(width=80, record=True)
    print_probes([model], console)
    text = console.export_text()
    assert "intensity   10         1.00 (1.00 to 1.00)   1.00 (1.00 to 1.00)" in text
    assert max(map(len, text.splitlines())) <= 80
    assert len(probes_csv([model]).splitlines()) == 5
