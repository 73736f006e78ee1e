"""A screen in the form of RxRx19a is read as published: files, conditions, roles, doses and truth."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from gandl.simulate import Controls, DoseLadder
from gandl.simulate.published.rxrx19a import RXRX19A, simulate_rxrx19a
from gandl.simulate.published.sites import EMBEDDINGS, METADATA, NOTICE
from gandl_shared.errors import BadInput, Conflict
from gandl_shared.imaging import read_site
from gandl_shared.plates import Role, find_sites, part_with_images, read_plate_map

from tests.cli.simulate.tiny import digests, read_rows

TINY = replace(
    RXRX19A,
    compounds=RXRX19A.compounds[:2],
    ladder=DoseLadder(count=2),
    replicates=1,
    controls=Controls(positive=2, negative=2),
    wells=96,
    size=64,
)


def test_the_design_is_that_of_the_paper() -> None:
    assert RXRX19A.problems() == []
    assert len(RXRX19A.compounds) == 30
    assert (RXRX19A.ladder.count, RXRX19A.replicates, len(RXRX19A.cell_lines)) == (6, 6, 2)
    assert {compound.response.behaviour for compound in RXRX19A.compounds} == {
        "rescue", "rescue_then_toxic", "inert", "toxin"
    }  # fmt: skip


def test_files_metadata_and_vectors_are_read_as_published(tmp_path: Path) -> None:
    out = tmp_path / "rxrx19a"
    sites = simulate_rxrx19a(out, TINY)
    assert (out / "images/HRCE-1/Plate1").is_dir()
    assert "simulated" in (out / NOTICE).read_text()
    plate_map = read_plate_map(out / METADATA)
    roles = [well.role for well in plate_map.wells]
    assert {role: roles.count(role) for role in set(roles)} == {
        Role.POSITIVE: 4, Role.NEGATIVE: 4, Role.TREATMENT: 8, Role.EMPTY: 24
    }  # fmt: skip
    fields = find_sites(out / "images", part_with_images(out / "images", plate_map, None))
    assert len(fields) == 16
    assert read_site(fields[0].files).shape == (5, 64, 64)
    rows = read_rows(out / EMBEDDINGS)
    assert len(rows) == sites == 40
    assert len(rows[0]) == 1 + 1024
    assert {row["site_id"] for row in rows} == {row["site_id"] for row in read_rows(out / METADATA)}
    truth = read_rows(out / "truth.csv")
    assert {(row["compound"], row["cell_line"]) for row in truth} == {
        (name, cells) for name in ("Simudesivir", "SIM-441524") for cells in ("HRCE", "VERO")
    }


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes_on_any_number_of_processes(tmp_path: Path) -> None:
    one = replace(TINY, cell_lines=("VERO-like",))
    for name, processes in (("one", 1), ("two", 2)):
        simulate_rxrx19a(tmp_path / name, one, processes=processes)
    assert digests(tmp_path / "one") == digests(tmp_path / "two")


def test_an_impossible_design_and_a_full_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="8 bits"):
        simulate_rxrx19a(tmp_path / "s", replace(TINY, bits=16))
    (tmp_path / "keep.txt").write_text("mine")
    with pytest.raises(Conflict, match="not an empty folder"):
        simulate_rxrx19a(tmp_path, TINY)
    assert [path.name for path in tmp_path.iterdir()] == ["keep.txt"]
