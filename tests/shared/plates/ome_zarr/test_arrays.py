"""Arrays: only metadata that are safe to read pixels by are accepted."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import zarr
from gandl_shared.errors import InvalidImage, UnsupportedType
from gandl_shared.files.keys import open_keys
from gandl_shared.plates.ome_zarr import read_array_metadata

from tests.shared.ome_zarr_plates import change


def array(folder: Path, zarr_format: int, **options: Any) -> Path:
    store = str(folder / "a")
    target = zarr.create_array(
        store=store, shape=(2, 8, 8), chunks=(1, 8, 8), dtype="uint16", zarr_format=zarr_format, **options
    )
    target[...] = np.ones((2, 8, 8), np.uint16)
    return folder / "a" / ("zarr.json" if zarr_format == 3 else ".zarray")


@pytest.mark.parametrize("zarr_format", [2, 3])
def test_shape_and_type(tmp_path: Path, zarr_format: int) -> None:
    array(tmp_path, zarr_format)
    metadata = read_array_metadata(open_keys(tmp_path), "a", zarr_format)
    assert (metadata.shape, metadata.dtype) == ((2, 8, 8), "uint16")
    with pytest.raises(InvalidImage, match="b of .* is not there, although its image names it"):
        read_array_metadata(open_keys(tmp_path), "b", zarr_format)


def pickle_2(document: Any) -> None:
    document["compressor"] = {"id": "pickle"}


def pickle_filter(document: Any) -> None:
    document["filters"] = [{"id": "pickle"}]


def pickle_3(document: Any) -> None:
    document["codecs"].append({"name": "numcodecs.pickle", "configuration": {}})


def pickle_in_shards(document: Any) -> None:
    inner = {"chunk_shape": [1, 8, 8], "codecs": [{"name": "numcodecs.pickle"}], "index_codecs": [{"name": "bytes"}]}
    document["codecs"] = [{"name": "sharding_indexed", "configuration": inner}]


@pytest.mark.parametrize(
    ("zarr_format", "edit"), [(2, pickle_2), (2, pickle_filter), (3, pickle_3), (3, pickle_in_shards)]
)
def test_a_codec_that_runs_programs_is_refused(tmp_path: Path, zarr_format: int, edit: Callable[[Any], None]) -> None:
    change(array(tmp_path, zarr_format), edit)
    with pytest.raises(UnsupportedType, match="uses the codec .*pickle; gandl reads"):
        read_array_metadata(open_keys(tmp_path), "a", zarr_format)


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"shape": [2, -8, 8]}, "which are not all numbers above 0"),
        ({"shape": [2, 8, "8"]}, "which are not all numbers above 0"),
        ({"shape": "many"}, "has no shape of type list"),
        ({"chunks": [1, 2**20, 2**20]}, "has the chunks"),
        ({"chunks": [8, 8]}, "has the chunks"),
        ({"dtype": "<i2"}, "has pixels of type <i2"),
        ({"dtype": "|O"}, r"has pixels of type \|O"),
        ({"dtype": [["a", "<u2"]]}, "has no dtype of type str"),
        ({"zarr_format": 3}, "is not in Zarr 2 as its image is"),
    ],
)
def test_metadata_that_do_not_fit_are_refused(tmp_path: Path, values: dict[str, Any], words: str) -> None:
    change(array(tmp_path, 2), lambda document: document.update(values))
    with pytest.raises((InvalidImage, UnsupportedType), match=words):
        read_array_metadata(open_keys(tmp_path), "a", 2)
