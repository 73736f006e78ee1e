"""A table of vectors becomes Parquet in blocks, and a table that is none is named."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from gandl.fetch.parts import embeddings
from gandl.fetch.parts.embeddings import csv_to_parquet
from gandl_shared.errors import Malformed


def table(rows: int, columns: int = 3) -> bytes:
    values = np.random.default_rng(0).normal(size=(rows, columns)).astype(np.float32)
    lines = [f"HRCE-1_1_AA02_{i}," + ",".join(map(str, row)) for i, row in enumerate(values)]
    header = "site_id," + ",".join(f"feature_{i}" for i in range(columns))
    return "\n".join([header, *lines]).encode() + b"\n"


def test_numbers_and_names_are_kept_over_many_blocks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embeddings, "BLOCK_BYTES", 2000)
    monkeypatch.setattr(embeddings, "GROUP_ROWS", 100)
    counts: list[int] = []
    count = csv_to_parquet(io.BytesIO(table(1000)), tmp_path / "e.parquet", source="e.csv", on_rows=counts.append)
    assert count == counts[-1] == 1000
    file = pq.ParquetFile(tmp_path / "e.parquet")
    assert file.num_row_groups > 3
    assert [str(field.type) for field in file.schema_arrow] == ["string", "float", "float", "float"]
    expected = np.random.default_rng(0).normal(size=(1000, 3)).astype(np.float32)
    read = file.read()
    np.testing.assert_array_equal(np.column_stack([read[f"feature_{i}"] for i in range(3)]), expected)
    assert read["site_id"][999].as_py() == "HRCE-1_1_AA02_999"


GOOD = table(3).decode()
BAD = {
    "page": ("<!DOCTYPE html>\n", "is an HTML page"),
    "no id": (GOOD.replace("site_id", "site"), "no column site_id"),
    "no vectors": ("site_id\nA\n", "no column site_id beside vectors"),
    "doubled column": (GOOD.replace("feature_1", "feature_0"), "the column feature_0 2 times"),
    "doubled id": (GOOD.replace("AA02_2,", "AA02_0,"), r"HRCE-1_1_AA02_0 \(rows 2 and 4\) twice"),
    "no number": (
        GOOD.replace("AA02_1,", "AA02_1,high,", 1).rsplit(",", 1)[0] + "\n",
        "cannot be read at row 3: Expected 4",
    ),
    "a text": (GOOD.rsplit(",", 1)[0] + ",high\n", "cannot be read at row 4, column 4: .*'high'"),
    "other data set": (
        GOOD.replace("HRCE-1_1_AA02_2,", "HEPG2-01_1_B02_1,"),
        "the vectors of RxRx1 .*HEPG2-01_1_B02_1",
    ),
    "nothing": ("", "is empty"),
    "longer row": (GOOD + "HRCE-1_1_AA02_9,1,2,3,4\n", "cannot be read at row 5"),
    "half a row": (GOOD + "HRCE-1_1_AA02_9,1,", "cannot be read at row 5: .*may be half a download"),
    "blank id": (GOOD + ",1,2,3\n", "no site_id in row 5"),
    "no rows": ("site_id,feature_0\n", "has no rows"),
}


@pytest.mark.parametrize(("text", "words"), BAD.values(), ids=BAD)
def test_a_bad_table_is_named_and_leaves_nothing(tmp_path: Path, text: str, words: str) -> None:
    with pytest.raises(Malformed, match=words):
        csv_to_parquet(io.BytesIO(text.encode()), tmp_path / "e.parquet", source="e.csv", data_set="RxRx19a")
    assert list(tmp_path.iterdir()) == []
