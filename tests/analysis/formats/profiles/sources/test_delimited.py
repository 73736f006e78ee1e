"""CSV is read with the row and column of what is wrong."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest
from gandl_analysis.formats.profiles.sources.delimited import DelimitedSource
from gandl_shared.errors import InvalidTable


def source(folder: Path, text: str) -> DelimitedSource:
    path = folder / "t.csv"
    path.write_text(text, encoding="utf-8")
    return DelimitedSource(path)


def numbers(source: DelimitedSource, *names: str) -> np.ndarray:
    return np.concatenate(list(source.blocks(names)))


def test_missing_numbers_are_nan_and_columns_have_the_asked_order(tmp_path: Path) -> None:
    t = source(tmp_path, "\ufeffw,a,b\nA01,1,2\nA02,NA,\nA03,nan,-3e-2\n")
    np.testing.assert_array_equal(numbers(t, "b", "a"), [[2, 1], [np.nan, np.nan], [-0.03, np.nan]])
    texts = t.texts(["w"])
    assert texts.columns["w"].texts() == ["A01", "A02", "A03"]
    assert texts.numbers.tolist() == [2, 3, 4]


def test_a_cell_with_quotes_may_hold_the_separator(tmp_path: Path) -> None:
    t = source(tmp_path, 'w,c,a\nA01,"x, y",1\n')
    assert t.texts(["c"]).columns["c"].texts() == ["x, y"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("w,a,b\nA01,1,2\nA02,x,2\n", "t.csv, row 3, a: 'x' is no number"),
        ("w,a,b\nA01,1,2\nA02,1\n", "t.csv, row 3: has 2 cells, the header 3"),
        ("w,a,b\nA01,1,2\nA02,1,2,3\n", "t.csv, row 3: has 4 cells, the header 3"),
        ("w,a,a\nA01,1,2\n", "t.csv, a: column occurs twice, in columns 2 and 3"),
        ("w,a,b\n", "has no rows"),
    ],
)
def test_what_is_wrong_is_named(text: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidTable, match=message):
        numbers(source(tmp_path, text), "a", "b")


def test_half_of_a_compressed_file_is_named(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    text = "a,b\n" + "".join(f"{x},{y}\n" for x, y in rng.random((5000, 2)))
    (tmp_path / "t.csv.gz").write_bytes(gzip.compress(text.encode())[:-2000])
    with pytest.raises(InvalidTable, match="ends within its compressed data, as half of a download does"):
        numbers(DelimitedSource(tmp_path / "t.csv.gz"), "a", "b")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Metadata_Well,a\n" + "0" * 200_000, "one of the first two rows: field larger than field limit"),
        (",".join(f"feature_{i}" for i in range(400_000)) + "\nA01", "has a header of more than 4 MB"),
    ],
)
def test_a_cell_or_a_header_without_end_is_named(text: str, message: str, tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text(text)
    with pytest.raises(InvalidTable, match=message):
        DelimitedSource(tmp_path / "t.csv")
