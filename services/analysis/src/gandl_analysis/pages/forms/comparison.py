"""Two analyses side by side: before and after a decision, other parameters, or another screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from gandl_shared.schemas.answers import CurvePair, WellPair
from gandl_shared.schemas.curve import Curve
from markupsafe import Markup

from gandl_analysis.api.provider import Provider
from gandl_analysis.figures.light.curve import curve_picture
from gandl_analysis.pages.frame.answers import base_path, page_router, render_page
from gandl_analysis.pages.frame.queries import PageVersion

MAX_ROWS = 100
MAX_PICTURES = 6
ROUND_OFF = 1e-9
ScreenName = Annotated[str, Query(max_length=200, description="id of a screen")]


def router(services: Provider) -> APIRouter:
    """Return the route of the comparison."""
    routes = page_router()

    @routes.get("/compare")
    def compare(
        request: Request,
        first: ScreenName = "",
        second: ScreenName = "",
        version: PageVersion = None,
        other_version: PageVersion = None,
    ) -> Response:
        """What differs, the largest differences first; or the form that asks for two screens."""
        submissions = services().submissions
        names = {screen.id: screen.name for screen in submissions.all() if screen.analysis_version is not None}
        context: dict[str, Any] = {"base": base_path(request), "names": names, "first": first, "second": second}
        if not first or not second:
            return render_page("compare.html", comparison=None, **context)
        results = services().results
        comparison = results.comparison(first, version, second, other_version)
        curves = sorted(comparison.curves, key=_curve_order)[:MAX_ROWS]
        sides = [
            _by_key(results.of(side.screen, side.version).analysis.curves)
            for side in (comparison.first, comparison.second)
        ]
        plates = plates_of_one_side(comparison.wells)
        whole = {plate.name for plate in plates}
        return render_page(
            "compare.html",
            comparison=comparison,
            curves=[(pair, *(side.get((pair.compound, pair.cell_line)) for side in sides)) for pair in curves],
            pictures=[(pair, *_pictures(pair, sides)) for pair in curves[:MAX_PICTURES]],
            plates=plates,
            wells=sorted((p for p in comparison.wells if _differs(p) and p.plate not in whole), key=_well_order)[
                :MAX_ROWS
            ],
            **context,
        )

    return routes


@dataclass(frozen=True)
class PlateOfOneSide:
    """A plate of which only one analysis scores any well: the first one, if `is_first`. `wells` counts those wells."""

    name: str
    wells: int
    is_first: bool


def plates_of_one_side(pairs: Iterable[WellPair]) -> list[PlateOfOneSide]:
    """Return the plates of several wells that only one of the two analyses scores, such as one that was left out."""
    sides: dict[str, list[tuple[bool, bool]]] = {}
    for pair in pairs:
        sides.setdefault(pair.plate, []).append((pair.first is not None, pair.second is not None))
    counts = ((name, *(sum(side) for side in zip(*of_plate, strict=True))) for name, of_plate in sides.items())
    return [
        PlateOfOneSide(name, first or second, first > 0)
        for name, first, second in counts
        if first + second > 1 and (first == 0 or second == 0)
    ]


def _by_key(curves: Iterable[Curve]) -> dict[tuple[str, str], Curve]:
    return {(curve.compound, curve.cell_line): curve for curve in curves}


def _pictures(pair: CurvePair, sides: Iterable[Mapping[tuple[str, str], Curve]]) -> list[Markup | None]:
    """Return the drawing of a curve in both analyses; None where it is not there."""
    drawings: list[Markup | None] = []
    for name, curves in zip(("before", "after"), sides, strict=True):
        curve = curves.get((pair.compound, pair.cell_line))
        label = f"{pair.compound} in {pair.cell_line}, {name}"
        drawings.append(None if curve is None else Markup(curve_picture(curve, label)))
    return drawings


def _differs(pair: WellPair) -> bool:
    if pair.difference is None:
        return pair.first is not pair.second
    # Sums of the same numbers in another order differ in their last digits.
    return abs(pair.difference) > ROUND_OFF


def _curve_order(pair: CurvePair) -> tuple[bool, float, float]:
    """Other verdicts come first, then large shifts of the EC50, then of Emax."""
    before, after = pair.emax
    shift = 0.0 if before is None or after is None else abs(after - before)
    return pair.verdicts[0] == pair.verdicts[1], -abs(pair.log2_ec50_ratio or 0.0), -shift


def _well_order(pair: WellPair) -> tuple[bool, float]:
    """A well that only one of the two scores comes first, then large differences."""
    return (pair.first is None) == (pair.second is None), -abs(pair.difference or 0.0)
