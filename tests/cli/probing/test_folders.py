"""Folders of single cells and of plates, as the probe reads them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from gandl.probing.folders import CellFolder
from gandl.probing.vectors import tiles_of
from gandl.screening.featurizers import TileOptions
from gandl_shared.errors import Invalid
from gandl_shared.plates import single_cells

from tests.cli.probing.images import PATTERN, write_cells


def test_single_cells_share_their_limits(tmp_path: Path) -> None:
    folder = CellFolder(sites=single_cells(write_cells(tmp_path / "cells")), names=PATTERN)
    embedder = folder.featurizer("pca", TileOptions(tile_size=16), threads=1)
    prepared = folder.prepared(embedder.card)
    assert len({id(prepared.preparation(site)) for site in prepared.sites}) == 1
    assert prepared.preparation(prepared.sites[0]).single_cell
    tiles = np.concatenate([tiles_of(site, prepared.preparation(site)) for site in prepared.sites])
    assert tiles.shape == (32, 1, 16, 16)
    assert prepared.columns[0] == {"phenotype": "bright", "plate": "P0"}


def test_a_model_for_other_channels_is_refused(tmp_path: Path) -> None:
    folder = CellFolder(sites=single_cells(write_cells(tmp_path / "cells")), names=PATTERN)
    card = folder.featurizer("intensity", TileOptions(tile_size=16), threads=1).card
    two = card.model_copy(update={"channels": card.channels * 2})
    named = replace(folder, channel_names=("DNA",))
    assert named.featurizer("intensity", TileOptions(tile_size=16), threads=1).card.channels[0].name == "DNA"
    with pytest.raises(Invalid, match="2 channel names for 1 channels: DNA, GFP"):
        replace(folder, channel_names=("DNA", "GFP")).featurizer("intensity", TileOptions(tile_size=16), threads=1)
    with pytest.raises(Invalid, match=r"the images have 1 channels, such as bright/P0--0\.png, and model .* takes 2"):
        folder.prepared(two)
