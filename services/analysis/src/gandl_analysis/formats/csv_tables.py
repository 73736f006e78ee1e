"""Answers as CSV: the columns of the files of a screen, with the screen named where rows of several may meet."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import Hit

from gandl_analysis.formats.output_folder import CURVE_COLUMNS, csv_text, curve_row

HIT_COLUMNS = tuple(Hit.model_fields)
POINT_COLUMNS = (
    "screen",
    "compound",
    "cell_line",
    "plate",
    "well",
    "concentration_um",
    "efficacy",
    "weight",
    "excluded",
)


def hits_csv(hits: Iterable[Hit]) -> str:
    """One row a compound and cell line, in the order given; flags joined by `;`."""
    return csv_text(HIT_COLUMNS, ({**hit.model_dump(), "flags": ";".join(hit.flags)} for hit in hits))


def compound_csv(curves: Iterable[Curve]) -> str:
    """The columns of `dose_response.csv` after the screen, one row a curve."""
    return csv_text(("screen", *CURVE_COLUMNS), ({"screen": curve.screen, **curve_row(curve)} for curve in curves))


def points_csv(curves: Iterable[Curve]) -> str:
    """The wells behind the curves, one row a well."""
    return csv_text(POINT_COLUMNS, (row for curve in curves for row in _points(curve)))


def _points(curve: Curve) -> Iterable[Mapping[str, object]]:
    about = {"screen": curve.screen, "compound": curve.compound, "cell_line": curve.cell_line}
    for point in curve.points:
        yield {**about, **point.model_dump(), "concentration_um": point.concentration}
