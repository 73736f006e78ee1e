"""Which tile stands for a dose, and how a strip looks."""

from __future__ import annotations

import base64
import io
from collections.abc import Collection, Iterator

import numpy as np
from gandl_analysis.figures.pixels.strips import STRIP_EDGE, StripSource, TileChoice, report_strips
from gandl_shared.plates import SiteId
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import SiteScore, WellScore
from gandl_shared.schemas.vocabulary import Role
from gandl_shared.store import GreyPicture, Thumbnail
from PIL import Image

from tests.analysis.example.screen import example_analysis

TREATMENT, NEGATIVE, POSITIVE = Role.TREATMENT, Role.NEGATIVE, Role.POSITIVE


def well(
    name: str, role: Role, dose: float | None, efficacy: float | None, plate: str = "P1", **other: str
) -> WellScore:
    return WellScore(
        plate=plate,
        well=name,
        role=role,
        compound="X" if role is TREATMENT else None,
        concentration_um=dose,
        cell_line="U2OS",
        on=efficacy,
        off=0.0,
        efficacy=efficacy,
        n_tiles=4,
        excluded=other.get("excluded"),
    )


WELLS = (
    well("A01", NEGATIVE, None, -1.1),
    well("A02", NEGATIVE, None, -0.9),
    well("A03", NEGATIVE, None, -1.0),
    well("A04", NEGATIVE, None, -1.05, plate="P2"),
    well("B01", POSITIVE, None, 1.0),
    well("C01", TREATMENT, 10.0, 0.9),
    well("C02", TREATMENT, 1.0, -0.2),
    well("C03", TREATMENT, 1.0, 0.1),
    well("C04", TREATMENT, 1.0, 0.7),
    well("C05", TREATMENT, 1.0, 5.0, excluded="blurred"),
    well("C06", TREATMENT, 0.1, None),
)


def site(of: WellScore, name: str, efficacy: float | None) -> SiteScore:
    fields = of.model_dump(include={"plate", "well", "role", "compound", "concentration_um", "cell_line"})
    return SiteScore(**fields, site=name, on=None, efficacy=efficacy, n_tiles=2)


SITES = tuple(
    site(each, name, None if each.efficacy is None else each.efficacy + shift)
    for each in WELLS
    for name, shift in (("1", -0.3), ("2", 0.05), ("3", 0.25))
)


def a_curve() -> Curve:
    return example_analysis().curves[0].model_copy(update={"compound": "X", "cell_line": "U2OS"})


def wells_of(choice: TileChoice) -> list[str]:
    return [tile.site.well for tile in StripSource(WELLS, SITES).strip(a_curve(), choice)]


def test_a_strip_goes_from_the_lowest_dose_to_the_highest_between_the_controls() -> None:
    strip = StripSource(WELLS, SITES).strip(a_curve())
    assert [(tile.site.well, tile.concentration_um) for tile in strip] == [
        ("A03", None),
        ("C03", 1.0),
        ("C01", 10.0),
        ("B01", None),
    ]
    assert [tile.is_control for tile in strip] == [True, False, False, True]
    # The site nearest to the efficacy of its well.
    assert {tile.site.site for tile in strip} == {"2"}


def test_best_and_worst_are_the_extreme_wells_and_sites_and_leave_the_controls_alone() -> None:
    assert wells_of(TileChoice.BEST) == ["A03", "C04", "C01", "B01"]
    assert wells_of(TileChoice.WORST) == ["A03", "C02", "C01", "B01"]
    best = StripSource(WELLS, SITES).strip(a_curve(), TileChoice.BEST)
    assert [tile.site.site for tile in best] == ["2", "3", "3", "2"]


def test_a_compound_without_scores_has_no_strip_and_a_missing_control_leaves_a_gap() -> None:
    assert StripSource(WELLS[:5], SITES).strip(a_curve()) == ()
    assert StripSource(WELLS, ()).strip(a_curve()) == ()
    without = [each for each in WELLS if each.role is not POSITIVE]
    assert [tile.site.well for tile in StripSource(without, SITES).strip(a_curve())] == ["A03", "C03", "C01"]


def test_the_picture_of_a_strip_has_the_tiles_in_their_order() -> None:
    analysis = example_analysis()
    analysis = analysis.model_copy(update={"wells": WELLS, "curves": (a_curve(),)})
    asked_for: list[SiteId] = []

    def thumbnails(names: Collection[SiteId]) -> Iterator[Thumbnail]:
        asked_for.extend(names)
        for level, name in ((20, "A03"), (120, "C01"), (240, "C02")):
            picture = GreyPicture.of(np.full((5, 16, 16), level // 5, np.uint8))
            identity = SiteId("P1", name, "2")
            yield Thumbnail(site=identity, key="k", height=16, width=16, y=0, x=0, field=picture, tile=picture)

    view = report_strips(analysis, analysis.curves, SITES, thumbnails)["X", "U2OS"]
    assert {name.well for name in asked_for} == {"A03", "C03", "C01", "B01"}
    picture = np.asarray(Image.open(io.BytesIO(base64.b64decode(view.address.split(",")[1]))).convert("L"))
    edge = STRIP_EDGE + 2
    assert picture.shape == (edge, 4 * edge)
    centres = [int(picture[edge // 2, n * edge + edge // 2]) for n in range(4)]
    # The second and the last tile have no thumbnail.
    assert abs(centres[1] - 24) < 4
    assert abs(centres[3] - 24) < 4
    assert centres[2] > 2 * centres[0]


def test_without_thumbnails_there_are_no_strips() -> None:
    analysis = example_analysis().model_copy(update={"wells": WELLS, "curves": (a_curve(),)})
    assert report_strips(analysis, analysis.curves, SITES, lambda _: ()) == {}
