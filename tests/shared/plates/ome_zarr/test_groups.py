"""Groups: attributes in Zarr 2 and 3, and values of their JSON."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_shared.errors import InvalidImage
from gandl_shared.files.keys import open_keys
from gandl_shared.plates.ome_zarr.groups import entry, join, objects, read_group


def test_both_formats_and_neither(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    (tmp_path / "a" / ".zattrs").write_text('{"plate": 1}')
    (tmp_path / "b" / "zarr.json").write_text(
        '{"zarr_format": 3, "node_type": "group", "attributes": {"ome": {"plate": 2}}}'
    )
    files = open_keys(tmp_path)
    groups = [read_group(files, path) for path in ("a", "b", "c")]
    assert [None if g is None else (g.zarr_format, g.attributes["plate"]) for g in groups] == [(2, 1), (3, 2), None]


def test_values_of_another_kind_are_named() -> None:
    with pytest.raises(InvalidImage, match="P1 has no name of type str \\(it has 3\\)"):
        entry({"name": 3}, "name", str, "P1")
    with pytest.raises(InvalidImage, match="P1 has no list of objects under wells"):
        objects({"wells": [1]}, "wells", "P1")
    assert entry({}, "name", str, "P1", "x") == "x"
    assert (join("", "a"), join("a", "b")) == ("a", "a/b")
