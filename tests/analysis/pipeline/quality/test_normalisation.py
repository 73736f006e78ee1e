"""The cost of normalisation by plate is told where it makes plates distinguishable, and only there."""

from __future__ import annotations

import pytest
from gandl_analysis.pipeline.axes.efficacy import score_efficacy
from gandl_analysis.pipeline.quality.normalisation import with_normalisation
from gandl_analysis.pipeline.tiles import normalised_tiles, tiles_of
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.quality import Quality

from tests.analysis.simulated_screens import Simulated

NOTHING = Quality(note="first", cell_lines={}, plates={})


PLATES = ("P1", "P2", "P3", "P4")


def note(normalisation: str, plates_apart: float, seed: int = 2, plates: tuple[str, ...] = PLATES) -> str | None:
    simulated = Simulated(plates=plates, plates_apart=plates_apart, seed=seed)
    parameters = AnalysisParameters.model_validate({"normalisation": normalisation})
    raw = tiles_of(simulated.profiles(), simulated.wells())
    tiles = normalised_tiles(raw, normalisation)
    efficacy = score_efficacy(tiles, parameters, simulated.screen(parameters).preparation, None)
    return with_normalisation(NOTHING, raw, efficacy.cell_lines, parameters).note


def test_clean_plates_become_distinguishable() -> None:
    text = note("standardise", 0.0)
    assert text is not None and text.startswith("first; U2OS: normalisation standardise makes plates distinguishable")
    assert "leave out --normalise" in text


def test_clean_plates_need_none() -> None:
    text = note("align", 0.0, seed=0)
    assert text is not None and text.startswith("first; U2OS: normalisation align has nothing to remove")


def test_one_plate_has_no_difference_between_plates_to_remove() -> None:
    text = note("align", 0.0, plates=("P1",))
    assert text is not None and text.startswith("first; U2OS: normalisation align has nothing to remove: all wells lie")


@pytest.mark.parametrize(("normalisation", "plates_apart"), [("none", 0.0), ("standardise", 4.0)])
def test_nothing_is_told_without_it_or_where_plates_differ(normalisation: str, plates_apart: float) -> None:
    assert note(normalisation, plates_apart) == "first"


def test_no_note_is_no_text() -> None:
    empty = NOTHING.model_copy(update={"note": None})
    assert with_normalisation(empty, tiles_of(Simulated().profiles(), []), {}, AnalysisParameters()).note is None
