"""The store of packed fields: its index as JSON, also of earlier versions, and folders that hold none."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from gandl_shared.errors import BadInput
from gandl_training.data.field_store import FieldRecord, FieldStore, StoreIndex
from gandl_training.data.source import Source

from tests.training.small_run import packed, resident_kilobytes


def test_an_index_survives_json() -> None:
    record = FieldRecord(plate="P1", well="A01", site="1", role="treatment", cell_line="U2OS", experiment="E1")
    index = StoreIndex(
        channels=("DNA", "GFP"), downscale=2, low=(0.0, 1.5), high=(255.0, 99.0), records=(record,), pattern="{well}"
    )
    again = StoreIndex.from_json(index.to_json())
    assert (again, again.records[0].experiment) == (index, "E1")


def test_an_index_of_an_earlier_version_is_read() -> None:
    """Neither the pattern nor the experiment was recorded then."""
    record = {"plate": "P1", "well": "A01", "site": "1", "role": "treatment", "cell_line": "U2OS"}
    values = {"channels": ["DNA"], "downscale": 1, "low": [0.0], "high": [1.0], "records": [record]}
    index = StoreIndex.from_json(json.dumps(values))
    assert (index.pattern, index.records[0].experiment) == (None, "")


def test_cell_lines_are_named_once_and_in_order() -> None:
    records = tuple(
        FieldRecord(plate="P1", well=well, site="1", role="treatment", cell_line=cell_line)
        for well, cell_line in (("A01", "VERO"), ("A02", "HRCE"), ("A03", "VERO"))
    )
    index = StoreIndex(channels=("DNA",), downscale=1, low=(0.0,), high=(1.0,), records=records)
    assert index.cell_lines == ("VERO", "HRCE")


def test_fields_are_mapped_and_can_be_released(plate: Source, tmp_path: Path) -> None:
    packed(plate, tmp_path / "data")
    path = tmp_path / "data" / "fields.npy"
    np.save(path, np.ones((8, 2, 512, 512), np.uint8))
    store = FieldStore.open(tmp_path / "data")
    assert (store.channels, int(store.fields.sum(dtype=np.int64))) == (2, 8 * 2 * 512 * 512)
    assert resident_kilobytes(path) > 4000
    store.release()
    assert resident_kilobytes(path) < 400


def test_a_folder_without_a_store_is_refused(plate: Source, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no packed fields"):
        FieldStore.open(tmp_path)
    packed(plate, tmp_path / "data")
    (tmp_path / "data" / "fields.json").write_text('{"channels": ["DNA"]}')
    with pytest.raises(BadInput, match="data holds no packed fields: 'downscale'"):
        FieldStore.open(tmp_path / "data")
