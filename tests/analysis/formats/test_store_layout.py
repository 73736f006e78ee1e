"""What an analysis puts into the store is read back as it was."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.figures.pixels.strips import StripTile, StripView
from gandl_analysis.formats.store_layout import (
    read_analysis,
    read_axes,
    read_card,
    read_compounds,
    read_drawings,
    read_sites,
    read_strips,
    write_analysis,
    write_card,
    write_drawings,
    write_strips,
)
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.result import Analysed
from gandl_analysis.report.drawings import StoredDrawings
from gandl_shared.errors import Invalid, NotFound
from gandl_shared.plates import SiteId
from gandl_shared.schemas.vocabulary import Role
from gandl_shared.store import Store
from gandl_shared.testing import fake_card

from tests.analysis.simulated_screens import Simulated


@pytest.fixture(scope="module")
def analysed() -> Analysed:
    return analyse(Simulated().screen())


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path)


def test_an_analysis_is_read_back(store: Store, analysed: Analysed) -> None:
    write_analysis(store, "s1", 2, analysed)
    assert read_analysis(store, "s1", 2) == analysed.analysis
    assert read_sites(store, "s1", 2) == analysed.sites
    assert [(c.compound, c.cell_line) for c in read_compounds(store, "s1", 2)] == [("X", "U2OS")]
    axes = read_axes(store, "s1", 2)
    assert (axes.source, [fit.digest for fit in axes.fits]) == (
        "screen s1, version 2",
        [fit.digest for fit in analysed.fits.values()],
    )


def test_another_version_is_not_there(store: Store, analysed: Analysed) -> None:
    write_analysis(store, "s1", 1, analysed)
    with pytest.raises(NotFound):
        read_analysis(store, "s1", 2)
    assert read_axes(store, "s1", 2).fits == ()


def test_a_changed_axis_is_refused(store: Store, analysed: Analysed) -> None:
    write_analysis(store, "s1", 1, analysed)
    store.put_document("s1", "analyses/1/axes/E2-U2OS.npz", b"changed")
    with pytest.raises(Invalid, match=r"E2-U2OS.npz of screen s1, version 1"):
        read_axes(store, "s1", 1)


def test_the_card_of_the_model_is_optional(store: Store) -> None:
    assert read_card(store, "s1") is None
    write_card(store, "s1", fake_card())
    assert read_card(store, "s1") == fake_card()


def test_figures_that_were_drawn_ahead_are_read_back(store: Store) -> None:
    assert read_drawings(store, "s1", 2) is None
    drawings = StoredDrawings(curves={}, plates={}, e2_planes={"A/1": "<svg/>"}, controls={}, e2_c2_plane=None)
    write_drawings(store, "s1", 2, drawings)
    assert read_drawings(store, "s1", 2) == drawings


def test_strips_come_back(store: Store) -> None:
    assert read_strips(store, "s1", 2) is None
    tile = StripTile(site=SiteId("P/1", "A01", "2"), role=Role.NEGATIVE, concentration_um=None, efficacy=-0.9)
    dose = StripTile(site=SiteId("P/1", "A02", "1"), role=Role.TREATMENT, concentration_um=0.1, efficacy=0.2)
    strips = {("=X é", "U2OS"): StripView(tiles=(tile, dose), address="data:image/webp;base64,AA==")}
    write_strips(store, "s1", 2, strips)
    assert read_strips(store, "s1", 2) == strips
