"""Each item is drawn from its data under the name of its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.paper.items import PaperData, PaperItem, pages_of
from gandl.paper.published import NAMED_COMPOUNDS
from gandl_shared.errors import BadInput

from tests.cli.paper.small import COMPOUNDS


def test_the_compounds_of_the_paper_are_named_unless_others_are(tmp_path: Path) -> None:
    assert PaperData(folder=tmp_path).named == NAMED_COMPOUNDS
    assert PaperData(folder=tmp_path, compounds=("A",)).named == ("A",)


def test_planes_are_drawn_in_both_ways_and_cell_types_in_one(folder: Path) -> None:
    data = PaperData(folder=folder, compounds=COMPOUNDS)
    assert list(pages_of(PaperItem.FIGURE4, data)) == ["figure4", "figure4-held-out"]
    assert list(pages_of(PaperItem.FIGURE6, PaperData(folder=folder))) == ["figure6"]


def test_a_gallery_needs_images(folder: Path) -> None:
    with pytest.raises(BadInput):
        pages_of(PaperItem.FIGURE1, PaperData(folder=folder))
