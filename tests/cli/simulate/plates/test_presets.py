"""The presets that were fixed before any model was trained, in the code and in the document."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from gandl.simulate import PRESETS, ScreenDesign, preset
from gandl.simulate.plates.layout import plan
from gandl_shared.errors import NotFound


def test_the_evaluation_preset_is_the_one_that_was_fixed() -> None:
    design = preset("screen-24")
    assert (design.seed, preset("demo").seed, preset("training").seed) == (20261102, 20261101, 20261103)
    plates = plan(design)
    assert len(plates) == 8
    for plate in plates:
        roles = Counter(well.role for well in plate.wells)
        assert roles == {"treatment": 72, "positive_control": 12, "negative_control": 12}
    behaviours = Counter(c.in_cells(line).behaviour for c in design.compounds for line in design.cell_lines)
    assert behaviours == {"rescue": 11, "rescue_then_toxic": 4, "inert": 5, "toxin": 4}


@pytest.mark.parametrize("name", PRESETS)
def test_the_document_has_the_numbers_of_the_preset(repository: Path, name: str) -> None:
    design = preset(name)
    page = (repository / "docs" / "simulator.md").read_text(encoding="utf-8")
    (row,) = [line for line in page.splitlines() if line.startswith(f"| `{name}` |")]
    content = f"{len(design.compounds)} × {design.ladder.count} × {design.replicates}"
    assert content in row and str(design.seed) in row
    assert re.search(rf"\| {len(plan(design))}[ ,]", row)


def test_an_unknown_preset_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(NotFound, match="unknown preset 'x'; there are demo, screen-24, training"):
        preset("x")


def test_the_notebook_example_of_the_document_is_a_possible_design(
    repository: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    designs: list[ScreenDesign] = []

    def record(_out: Path, design: ScreenDesign, **_options: object) -> None:
        designs.append(design)

    monkeypatch.setattr("gandl.simulate.simulate_screen", record)
    page = (repository / "docs" / "simulator.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    exec(example, {})
    (design,) = designs
    assert design.problems() == []
    assert design.ladder.count == 8
