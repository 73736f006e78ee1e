"""Features are named once, exist, and become one mean vector per field of view."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
from gandl.paper.features import (
    PUBLISHED,
    FieldVectors,
    as_in_the_paper,
    cell_map,
    feature_paths,
    field_vectors,
    read_cells,
)
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_shared.errors import BadInput, NotFound
from gandl_shared.plates import Role

WELLS_PER_PLATE, PLATES = 24, 4


def test_the_published_table_comes_first_and_options_add_to_it(folder: Path, tmp_path: Path) -> None:
    assert feature_paths(folder, [f"own={tmp_path}"]) == {PUBLISHED: folder / "embeddings.csv", "own": tmp_path}


@pytest.mark.parametrize("option", ["own", "=table.csv", "own="])
def test_an_option_without_a_name_or_path_is_refused(folder: Path, option: str) -> None:
    with pytest.raises(BadInput, match="give NAME=PATH"):
        feature_paths(folder, [option])


def test_a_path_or_folder_that_is_not_there_is_named(folder: Path) -> None:
    with pytest.raises(NotFound, match="--features own: there is no file or folder nowhere"):
        feature_paths(folder, ["own=nowhere"])
    with pytest.raises(NotFound, match="there is no folder"):
        feature_paths(folder / "nowhere", [])


def test_each_image_is_one_field_with_the_role_of_its_well(folder: Path, screens: Mapping[str, ScreenInput]) -> None:
    fields = field_vectors(screens[PUBLISHED])
    assert fields.vectors.shape == (PLATES * WELLS_PER_PLATE, 12)
    controls = np.array([well.role in (Role.POSITIVE, Role.NEGATIVE) for well in fields.wells])
    part = fields.of_wells(controls)
    assert len(part.wells) == len(part.vectors) == PLATES * 12
    by_name = {(w.plate, w.well): fields.vectors[fields.well == i] for i, w in enumerate(fields.wells)}
    assert all(np.array_equal(part.vectors[part.well == i], by_name[w.plate, w.well]) for i, w in enumerate(part.wells))
    assert {well.cell_line for well in cell_map(folder).wells} == {"HRCE", "VERO"}
    assert len(read_cells(folder, ())[PUBLISHED].vectors) == len(fields.vectors)


def test_wells_without_fields_may_be_left_out() -> None:
    fields = FieldVectors(wells=[], well=np.zeros(0, np.intp), vectors=np.zeros((0, 3), np.float32))
    assert fields.of_wells(np.zeros(0, bool)).vectors.shape == (0, 3)


def test_the_papers_way_changes_parameters_alone(screens: Mapping[str, ScreenInput]) -> None:
    screen = as_in_the_paper(screens[PUBLISHED])
    assert (screen.parameters.preset, screen.parameters.whitening) == ("paper", "raw")
    assert screen.profiles is screens[PUBLISHED].profiles
