"""The data sets that `gandl fetch` knows. A new one is a module beside this one and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from gandl_shared.errors import NotFound

from gandl.fetch.bbbc013 import bbbc013
from gandl.fetch.data_set import DataSet

DATA_SETS: Mapping[str, DataSet] = {data_set.name: data_set for data_set in (bbbc013(),)}


def data_set(name: str) -> DataSet:
    """Return the data set of that name. Raises NotFound with the names that there are."""
    if name not in DATA_SETS:
        raise NotFound(f"unknown data set '{name}'; gandl can fetch {', '.join(DATA_SETS)}")
    return DATA_SETS[name]
