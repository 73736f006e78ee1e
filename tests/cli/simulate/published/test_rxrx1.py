"""A screen in the form of RxRx1 is read as published: six stains, four cell types, siRNAs without doses."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl.simulate.published.rxrx1 import RXRX1, simulate_rxrx1, with_mitochondria
from gandl_shared.errors import BadInput
from gandl_shared.imaging import read_site
from gandl_shared.plates import Role, find_sites, read_plate_map

TINY = replace(RXRX1, experiments=1, plates=1, replicates=1, sites=1, size=64)


def test_files_and_metadata_are_read_as_published(tmp_path: Path) -> None:
    assert simulate_rxrx1(tmp_path / "rxrx1", TINY) == 24
    plate_map = read_plate_map(tmp_path / "rxrx1/metadata.csv")
    assert {well.cell_line for well in plate_map.wells} == {"HEPG2", "HUVEC", "RPE", "U2OS"}
    roles = [well.role for well in plate_map.wells]
    assert [roles.count(role) for role in (Role.POSITIVE, Role.NEGATIVE, Role.TREATMENT)] == [4, 4, 16]
    fields = find_sites(tmp_path / "rxrx1/images", plate_map)
    assert read_site(fields[0].files).shape == (6, 64, 64)


def test_mitochondria_go_before_the_last_stain_and_lie_where_the_er_is() -> None:
    stains = np.zeros((5, 32, 32), np.float32)
    stains[1, :, :16] = 100
    stains[4] = 7
    six = with_mitochondria(stains, np.random.default_rng(0))
    assert (six[5] == 7).all()
    assert six[4, :, :16].mean() > 20
    assert not six[4, :, 16:].any()


def test_impossible_numbers_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="size: 10 is not between 64") as caught:
        simulate_rxrx1(tmp_path / "s", replace(TINY, size=10, sites=0))
    assert {problem.field for problem in caught.value.problems} == {"size", "sites"}
