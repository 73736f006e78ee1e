"""The pictures of the document."""

from __future__ import annotations

import numpy as np
from gandl.simulate import CELL_LINES
from gandl.simulate.gallery import STATES, composite_picture, fields, stains_picture


def test_rows_and_columns_are_states_stains_and_cell_lines() -> None:
    (first, *others) = fields("VERO-like")
    height = first.shape[-1]
    assert len(others) == len(STATES) - 1
    picture = stains_picture("VERO-like")
    assert picture.shape == (4 * height + 3 * 4, 5 * height + 4 * 4)
    assert (picture[:height, :height] == first[0]).all()
    assert composite_picture().shape == (len(CELL_LINES) * (height + 4) - 4, 4 * height + 3 * 4, 3)


def test_the_states_differ() -> None:
    means = [field.astype(float).mean(axis=(1, 2)) for field in fields("HRCE-like")]
    assert min(np.abs(a - b).max() for i, a in enumerate(means) for b in means[:i]) > 1
