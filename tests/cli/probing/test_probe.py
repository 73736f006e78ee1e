"""The label probe of a featurizer on a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.probing.folders import CellFolder
from gandl.probing.labels import LabelledImages
from gandl.probing.probe import ProbedModel, check_probe, probe_model
from gandl.screening.featurizers import TileOptions
from gandl_shared.errors import NotEnoughData
from gandl_shared.plates import Site, single_cells

from tests.cli.probing.images import PATTERN, write_cells


def probed(folder: Path) -> ProbedModel:
    cells = CellFolder(sites=single_cells(folder), names=PATTERN)
    embedder = cells.featurizer("intensity", TileOptions(tile_size=16), threads=1)
    return probe_model(cells, embedder, "phenotype", "plate")


def test_phenotypes_that_differ_in_brightness_are_read_off_intensities(tmp_path: Path) -> None:
    model = probed(write_cells(tmp_path / "cells"))
    assert model.probe.weighted_f1.value == 1
    assert (model.labels, model.groups_of_label, model.groups, model.images) == (("bright", "dim"), (4, 4), 4, 32)
    assert model.notes == ()


def test_a_label_in_one_group_is_told(tmp_path: Path) -> None:
    folder = write_cells(tmp_path / "cells")
    (folder / "odd").mkdir()
    (folder / "bright" / "P0--0.png").rename(folder / "odd" / "P0--9.png")
    (note,) = probed(folder).notes
    assert note == "in one group only, so never right, because it is held out as a whole: odd"


@pytest.mark.parametrize(
    ("labels", "groups", "message"),
    [
        ("aaaa", "xxyy", r"--labels kind has 1 value \(a\); a probe needs two"),
        ("abab", "xxxx", r"--groups plate has 1 value \(x\)"),
        ("aabb", "xxyy", "each value of --labels kind is in one group of --groups plate only"),
        ([str(i) for i in range(202)] * 2, ["x"] * 202 + ["y"] * 202, "202 values; a probe tells at most 200 apart"),
    ],
)
def test_columns_that_allow_no_probe(labels: str | list[str], groups: str | list[str], message: str) -> None:
    sites = tuple(Site(plate="", well="", site=str(i), root=Path(), names=("a",)) for i in range(len(labels)))
    images = LabelledImages(sites=sites, labels=tuple(labels), groups=tuple(groups), left_out=0)
    with pytest.raises(NotEnoughData, match=message):
        check_probe(images, "kind", "plate")
