"""What people leave out counts nowhere, and is still there with its reason."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.result import Analysed
from gandl_analysis.pipeline.scores.exclusions import left_out
from gandl_shared.errors import Invalid
from gandl_shared.schemas.analysis import AnalysisParameters, Exclusion
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.vocabulary import Verdict

from tests.analysis.simulated_screens import Simulated

TEXT = "excluded by Ann: a bubble"
TWO_LINES = Simulated(lines=("U2OS", "A549"), seed=1041)


@pytest.fixture(scope="module")
def before() -> Analysed:
    """The analysis of two cell lines without exclusions."""
    return analyse(screen_of())


def exclusion(level: str, **fields: object) -> Exclusion:
    return Exclusion.model_validate({"level": level, **fields, "reason": "a bubble", "author": "Ann", "decision": 1})


def screen_of(*exclusions: Exclusion, of: Simulated = TWO_LINES) -> ScreenInput:
    return of.screen(AnalysisParameters(exclusions=exclusions))


def without_wells(screen: ScreenInput, *wells: tuple[str, str]) -> ScreenInput:
    """The same screen as if these wells had never been imaged."""
    keys = zip(screen.profiles.plates, screen.profiles.wells, strict=True)
    mask = np.array([key not in wells for key in keys], bool)
    parameters = screen.parameters.model_copy(update={"exclusions": ()})
    return ScreenInput(**{**vars(screen), "profiles": screen.profiles.where(mask), "parameters": parameters})


def curve_of(analysed: Analysed, cell_line: str) -> Curve:
    return next(c for c in analysed.analysis.curves if c.cell_line == cell_line)


def numbers(analysed: Analysed) -> list[tuple[object, ...]]:
    return [(w.plate, w.well, w.on, w.efficacy, w.off_distance) for w in analysed.analysis.wells]


def test_an_excluded_control_gives_the_numbers_of_a_screen_without_it() -> None:
    screen = screen_of(exclusion("well", plate="P1", well="A01"))
    analysed, expected = analyse(screen), analyse(without_wells(screen, ("P1", "A01")))
    assert numbers(analysed) == numbers(expected)
    assert analysed.analysis.quality == expected.analysis.quality
    by_name = {(w.plate, w.well): w.excluded for w in analysed.analysis.wells}
    assert by_name["P1", "A01"] == TEXT
    assert by_name["P1", "A02"] is None
    assert {s.excluded for s in analysed.sites if (s.plate, s.well) == ("P1", "A01")} == {TEXT}
    assert len(analysed.tile_efficacy) == len(screen.profiles)


def test_an_excluded_treatment_stays_on_its_curve_as_a_grey_point_at_its_efficacy(before: Analysed) -> None:
    after = analyse(screen_of(exclusion("well", plate="P1", well="A09")))
    points = {(p.plate, p.well): p for p in curve_of(after, "U2OS").points}
    earlier = {(p.plate, p.well): p for p in curve_of(before, "U2OS").points}
    assert points.keys() == earlier.keys()
    point = points["P1", "A09"]
    assert (point.excluded, point.weight) == (TEXT, 0.0)
    assert point.efficacy == pytest.approx(earlier["P1", "A09"].efficacy, abs=1e-6)
    assert curve_of(after, "U2OS").n_wells == curve_of(before, "U2OS").n_wells - 1
    assert curve_of(after, "A549").fitted == curve_of(before, "A549").fitted


def test_a_grey_point_stays_where_it_was_after_a_normalisation_by_plate() -> None:
    # A treatment takes part in no normalisation and in no axis, so that its efficacy is the same without it.
    simulated = Simulated(seed=1042, plates=("P1", "P2"))
    whole = simulated.screen(AnalysisParameters(normalisation="align"))
    earlier = {(p.plate, p.well): p for p in curve_of(analyse(whole), "U2OS").points}
    items = [exclusion("well", plate="P1", well="A09"), exclusion("plate", plate="P2")]
    one = {(p.plate, p.well): p for p in curve_of(analyse(_with(whole, items[:1])), "U2OS").points}
    assert one["P1", "A09"].efficacy == pytest.approx(earlier["P1", "A09"].efficacy, abs=1e-6)
    assert one["P1", "A09"].excluded == TEXT
    # A plate without any control that counts has nothing to be normalised by.
    other = {(p.plate, p.well): p for p in curve_of(analyse(_with(whole, items)), "U2OS").points}
    assert other["P1", "A09"].efficacy is not None
    assert {p.efficacy for key, p in other.items() if key[0] == "P2"} == {None}


def test_a_grey_point_is_near_where_it_was_along_components() -> None:
    simulated = Simulated(seed=1042, plates=("P1", "P2"))
    whole = simulated.screen(AnalysisParameters(normalisation="pca_mad"))
    earlier = {(p.plate, p.well): p for p in curve_of(analyse(whole), "U2OS").points}
    after = analyse(_with(whole, [exclusion("well", plate="P1", well="A09")]))
    point = {(p.plate, p.well): p for p in curve_of(after, "U2OS").points}["P1", "A09"]
    # Components are those of all tiles that count, and turn a little without a well.
    assert point.efficacy == pytest.approx(earlier["P1", "A09"].efficacy, abs=0.15)


def _with(screen: ScreenInput, items: Sequence[Exclusion]) -> ScreenInput:
    return replace(screen, parameters=screen.parameters.model_copy(update={"exclusions": tuple(items)}))


def test_a_dose_and_a_point_leave_the_curve_and_nothing_else(before: Analysed) -> None:
    after = analyse(
        screen_of(
            exclusion("dose", compound="X", concentration_um=10.0, cell_line="U2OS"),
            exclusion("point", plate="P1", well="B04"),
        )
    )
    assert numbers(after) == numbers(before)
    left = [(p.plate, p.well) for p in curve_of(after, "U2OS").points if p.excluded == TEXT]
    assert sorted(left) == sorted([*(("P1", f"{row}09") for row in "ABCD"), ("P1", "B04")])
    assert not any(p.excluded for p in curve_of(after, "A549").points)


def test_the_other_fields_of_a_well_still_count() -> None:
    screen = screen_of(exclusion("site", plate="P1", well="A04", site="1"))
    analysed = analyse(screen)
    well = next(w for w in analysed.analysis.wells if (w.plate, w.well) == ("P1", "A04"))
    assert (well.n_tiles, well.excluded) == (3, None)
    sites = {s.site: s for s in analysed.sites if (s.plate, s.well) == ("P1", "A04")}
    assert (sites["1"].excluded, sites["1"].efficacy, sites["2"].excluded) == (TEXT, None, None)
    assert sites["2"].efficacy is not None


def test_a_well_whose_fields_are_all_excluded_is_excluded() -> None:
    both = [exclusion("site", plate="P1", well="A04", site=site) for site in ("1", "2")]
    assert left_out(screen_of(*both)).wells == {("P1", "A04"): TEXT}


def test_a_plate_that_was_a_whole_cell_line_leaves_the_other_one_as_it_was() -> None:
    own = Simulated(lines=("U2OS", "A549"), plates=("P1", "P2"), own_plates=True, seed=1042)
    before, after = analyse(screen_of(of=own)), analyse(screen_of(exclusion("plate", plate="P2"), of=own))
    assert curve_of(after, "U2OS").fitted == curve_of(before, "U2OS").fitted
    lost = curve_of(after, "A549")
    assert (lost.verdict, {p.excluded for p in lost.points}) == (Verdict.UNDETERMINED, {TEXT})
    assert [w.role for w in after.analysis.wells] == [w.role for w in before.analysis.wells]


def test_a_person_speaks_before_image_qc() -> None:
    screen = screen_of(exclusion("plate", plate="P1"), exclusion("well", plate="P1", well="A05"))
    assert set(left_out(screen).wells.values()) == {TEXT}
    assert len(left_out(screen).wells) == 80


@pytest.mark.parametrize(
    ("item", "message"),
    [
        (exclusion("plate", plate="P3"), "no plate 'P3'; the plate map has P1, P2"),
        (exclusion("well", plate="P1", well="H12"), "no well 'H12'|there is no"),
        (exclusion("well", plate="P1", well="A1"), "write the name as in the plate map"),
        (exclusion("site", plate="P1", well="A04", site="9"), "no site '9'"),
        (exclusion("point", plate="P1", well="A01"), "on no curve"),
        (exclusion("dose", compound="Y", concentration_um=1.0), "no compound 'Y'"),
        (exclusion("dose", compound="X", concentration_um=2.0), "its doses are 0.01, 0.1, 0.3, 1, 3, 10"),
        (exclusion("dose", compound="X", concentration_um=1.0, cell_line="HeLa"), "in cell line 'HeLa'"),
    ],
)
def test_what_the_screen_does_not_have_is_refused(item: Exclusion, message: str) -> None:
    with pytest.raises(Invalid) as error:
        left_out(screen_of(item, of=Simulated(plates=("P1", "P2"), seed=1043)))
    assert any(re.search(message, p.detail) for p in error.value.problems)
