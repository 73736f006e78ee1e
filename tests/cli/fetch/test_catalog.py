"""The data sets by name, each with what a user must know before a download."""

from __future__ import annotations

import pytest
from gandl.fetch.catalog import DATA_SETS, data_set
from gandl.fetch.parts.collection import Choice, Collection
from gandl_shared.errors import NotFound


@pytest.mark.parametrize("name", DATA_SETS)
def test_every_data_set_says_where_it_comes_from_and_under_which_licence(name: str) -> None:
    entry = data_set(name)
    assert entry.name == name
    if isinstance(entry, Collection):
        files = [file for part in entry.parts for file in part.remote_files(Choice())]
    else:
        files = list(entry.archives)
    assert entry.page.startswith("https://") and all(file.url.startswith("https://") for file in files)
    assert entry.licence and entry.citation and entry.title


def test_an_unknown_name_is_answered_with_those_that_there_are() -> None:
    with pytest.raises(NotFound, match="unknown data set 'bbbc14'; gandl can fetch bbbc013"):
        data_set("bbbc14")
