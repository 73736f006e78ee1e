"""The provenance of an analysis changes with what decided its numbers, and with nothing else."""

from __future__ import annotations

import hashlib
from dataclasses import replace

from gandl_analysis.pipeline.provenance import provenance_of

from tests.analysis.scored_cell_lines import scored_cell_line
from tests.analysis.simulated_screens import MODEL_ID, Simulated


def test_it_counts_sites_and_tiles_and_names_the_model() -> None:
    provenance = provenance_of(Simulated().screen(), {"U2OS": scored_cell_line()})
    assert (provenance.n_sites, provenance.n_tiles, provenance.model_id) == (80, 240, MODEL_ID)
    assert (provenance.screen_name, provenance.limits_from) == ("simulated", "plate")


def test_the_hash_of_the_plate_map_is_of_its_contents() -> None:
    screen, cell_lines = Simulated().screen(), {"U2OS": scored_cell_line()}
    first, *others = screen.wells
    renamed = replace(screen, wells=[replace(first, compound="Y"), *others])
    noted = replace(screen, wells=[replace(first, metadata={"note": "x"}), *others])
    hashes = [provenance_of(s, cell_lines).plate_map for s in (screen, renamed, noted)]
    assert hashes[0] == hashes[2] != hashes[1]


def test_cell_lines_that_share_an_axis_name_it_once() -> None:
    shared = scored_cell_line()
    provenance = provenance_of(Simulated().screen(), {"A": shared, "B": shared})
    assert provenance.efficacy_axes == (shared.origin,)
    assert provenance.axis_hash == hashlib.sha256(shared.stored_fit.digest.encode()).hexdigest()
