"""The data sets that `gandl fetch` knows. A new one is a module beside this one and a line here."""

from __future__ import annotations

from collections.abc import Mapping

from gandl_shared.errors import NotFound

from gandl.fetch.bbbc013 import bbbc013
from gandl.fetch.bbbc021 import bbbc021
from gandl.fetch.data_set import DataSet
from gandl.fetch.mitocheck import mitocheck
from gandl.fetch.parts.collection import Collection
from gandl.fetch.recursion import rxrx1, rxrx19a

DATA_SETS: Mapping[str, DataSet | Collection] = {
    data_set.name: data_set for data_set in (bbbc013(), bbbc021(), mitocheck(), rxrx1(), rxrx19a())
}


def data_set(name: str) -> DataSet | Collection:
    """Return the data set of that name. Raises NotFound with the names that there are."""
    if name not in DATA_SETS:
        raise NotFound(f"unknown data set '{name}'; gandl can fetch {', '.join(DATA_SETS)}")
    return DATA_SETS[name]
