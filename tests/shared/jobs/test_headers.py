"""Headers of the images of a screen, checked against each other."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.jobs.headers import check_headers
from gandl_shared.plates import Site
from gandl_shared.testing import FakeEmbedder


def site(folder: Path, well: str, edge: int) -> Site:
    card = FakeEmbedder().card
    names = tuple(f"{well}_{n}.tif" for n in range(len(card.channels)))
    for name in names:
        tifffile.imwrite(folder / name, np.zeros((edge, edge), np.uint16))
    return Site(plate="P1", well=well, site="1", root=folder, names=names)


@pytest.mark.parametrize("mixed_sizes", [False, True])
def test_a_well_of_another_size_is_named_unless_it_was_cropped(tmp_path: Path, *, mixed_sizes: bool) -> None:
    card = FakeEmbedder().card
    edge = card.size * card.downscale
    sites = [site(tmp_path, "A01", edge), site(tmp_path, "A02", edge), site(tmp_path, "A03", 2 * edge)]
    problems, count = check_headers(sites, card, mixed_sizes=mixed_sizes)
    assert count == 3 * len(card.channels)
    assert len(problems) == (0 if mixed_sizes else 1)
    if problems:
        assert problems[0].detail.startswith(f"the images of well A03 of plate P1 have {2 * edge}×{2 * edge} pixels")
