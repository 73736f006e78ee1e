"""A published data set brings its plate map; every other folder needs one."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl.screening.plate_maps import plate_map_file, positive_words
from gandl_shared.errors import BadInput

from tests.shared.plates.map_table.published.tables import small_rxrx19a, write


def test_the_plate_map_of_the_user_comes_first(tmp_path: Path) -> None:
    table = write(tmp_path / "metadata.csv", small_rxrx19a())
    assert plate_map_file(tmp_path, None) == table
    assert plate_map_file(tmp_path, tmp_path / "map.csv") == tmp_path / "map.csv"


def test_without_any_plate_map_the_option_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="give --platemap"):
        plate_map_file(tmp_path, None)


def test_words_are_separated_by_commas() -> None:
    assert positive_words("mock, irradiated") == ("mock", "irradiated")
    assert positive_words(None) == ()
