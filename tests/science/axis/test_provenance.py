"""Provenance comes back from its record, and the record is the one that axis files of format 2 hold."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_science.assay.controls.distances import control_distances
from gandl_science.axis.provenance import AxisProvenance, TilePreparation

FULL = AxisProvenance(
    model="m",
    model_id="0" * 64,
    preprocessing=TilePreparation(downscale=2, limits="[[0.0], [10.5]]", size=64),
    normalisation="align",
    cell_line="U2OS",
    control_keys=frozenset({"b1", "a2"}),
    off_axis_limit=0.1 + 0.2,
)


def test_the_record_is_the_one_of_format_2() -> None:
    assert FULL.record() == {
        "model": "m",
        "model_id": "0" * 64,
        "preprocessing": '{"downscale": 2, "limits": "[[0.0], [10.5]]", "size": 64}',
        "normalisation": "align",
        "cell_line": "U2OS",
        "controls": "a2 b1",
        "off_limit": "0.30000000000000004",
    }


LABELS = np.repeat([-1, 1], 4)
WITH_DISTANCES = replace(FULL, control_distances=control_distances(np.arange(1.0, 9.0), LABELS, LABELS.astype(float)))


@pytest.mark.parametrize(
    "provenance",
    [FULL, WITH_DISTANCES, replace(FULL, cell_line=None), replace(FULL, control_keys=frozenset(), off_axis_limit=None)],
    ids=["full", "distances", "no cell line", "no controls"],
)
def test_a_record_is_read_back(provenance: AxisProvenance) -> None:
    assert AxisProvenance.from_record(provenance.record()) == provenance


@pytest.mark.parametrize("field", ["model", "model_id", "preprocessing", "normalisation"])
def test_a_record_without_a_field_is_refused(field: str) -> None:
    record = FULL.record()
    del record[field]
    with pytest.raises(KeyError, match=field):
        AxisProvenance.from_record(record)


@pytest.mark.parametrize("text", ["", "plate", '{"size": "x"}', "[1]"])
def test_other_texts_are_no_preparation(text: str) -> None:
    with pytest.raises((ValueError, KeyError, TypeError)):
        TilePreparation.parse(text)
