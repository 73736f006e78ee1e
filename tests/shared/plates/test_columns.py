"""The prefix of pycytominer is removed and added in one way, whatever its case."""

from __future__ import annotations

import pytest
from gandl_shared.plates import has_metadata_prefix, metadata_column, plain_column


@pytest.mark.parametrize(
    ("name", "plain"),
    [("Metadata_Batch", "Batch"), ("metadata_Batch", "Batch"), ("Batch", "Batch"), ("my_Metadata_x", "my_Metadata_x")],
)
def test_the_prefix_is_removed_at_the_front_only(name: str, plain: str) -> None:
    assert plain_column(name) == plain


@pytest.mark.parametrize("name", ["Batch", "Metadata_Batch", "METADATA_Batch"])
def test_a_written_column_has_the_prefix_once(name: str) -> None:
    assert metadata_column(name) == "Metadata_Batch"


def test_a_column_is_recognised_by_its_prefix() -> None:
    assert has_metadata_prefix("metadata_Batch")
    assert not has_metadata_prefix("Batch_Metadata_")
