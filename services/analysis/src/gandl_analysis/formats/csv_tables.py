"""All CSV tables that gandl writes: the files of a screen, and the same tables as answers of the service."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence

from gandl_shared.plates import metadata_column
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import Hit, SiteScore, WellScore

WELL_COLUMNS = (
    "plate",
    "well",
    "role",
    "compound",
    "concentration_um",
    "cell_line",
    "on",
    "off",
    "efficacy",
    "off_distance",
    "n_tiles",
    "excluded",
)
SITE_COLUMNS = tuple(SiteScore.model_fields)
CURVE_COLUMNS = (
    "compound",
    "cell_line",
    "model",
    "verdict",
    "ec50_um",
    "ec50_relation",
    "ec50_low_um",
    "ec50_high_um",
    "slope",
    "bottom",
    "top",
    "emax",
    "p_value",
    "q_value",
    "flags",
)
HIT_COLUMNS = tuple(name for name in Hit.model_fields if name != "metadata")
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


def wells_csv(wells: Sequence[WellScore]) -> str:
    """Return one row per well; a well without vectors has empty scores.

    Further columns of the plate map come last, with pycytominer's prefix.
    """
    columns = (*WELL_COLUMNS, *metadata_columns(wells))
    return _csv_text(columns, ({**w.model_dump(), **prefixed_metadata(w)} for w in wells))


def sites_csv(sites: Iterable[SiteScore]) -> str:
    """Return one row per field of view with vectors; its problems are joined by `;`."""
    return _csv_text(SITE_COLUMNS, ({**site.model_dump(), "image_qc": ";".join(site.image_qc)} for site in sites))


def curves_csv(curves: Iterable[Curve]) -> str:
    """Return one row per compound and cell line; a number that does not exist is an empty cell.

    Further columns of the plate map come last, with pycytominer's prefix.
    """
    listed = list(curves)
    return _csv_text((*CURVE_COLUMNS, *metadata_columns(listed)), map(_curve_record, listed))


def compound_csv(curves: Iterable[Curve]) -> str:
    """Return the columns of `dose_response.csv` after the screen, one row per curve."""
    listed = list(curves)
    records = ({"screen": curve.screen, **_curve_record(curve)} for curve in listed)
    return _csv_text(("screen", *CURVE_COLUMNS, *metadata_columns(listed)), records)


def points_csv(curves: Iterable[Curve]) -> str:
    """Return the wells behind the curves, one row per well."""
    return _csv_text(POINT_COLUMNS, (record for curve in curves for record in _point_records(curve)))


def hits_csv(hits: Iterable[Hit]) -> str:
    """Return one row per compound and cell line, in the order of `hits`; flags are joined by `;`."""
    listed = list(hits)
    records = ({**hit.model_dump(), "flags": ";".join(hit.flags), **prefixed_metadata(hit)} for hit in listed)
    return _csv_text((*HIT_COLUMNS, *metadata_columns(listed)), records)


def metadata_columns(items: Iterable[WellScore | Curve | Hit]) -> list[str]:
    """Return the names of the further columns of the plate map, with pycytominer's prefix."""
    return list(dict.fromkeys(name for item in items for name in prefixed_metadata(item)))


def prefixed_metadata(item: WellScore | Curve | Hit) -> dict[str, str]:
    """Return the further columns of a well or a compound, with pycytominer's prefix."""
    return {metadata_column(name): value for name, value in item.metadata.items()}


def _curve_record(curve: Curve) -> dict[str, object]:
    ec50 = curve.ec50
    plateaus_and_slope = {name: p.estimate for name, p in curve.params.items() if name in ("slope", "bottom", "top")}
    return {
        "compound": curve.compound,
        "cell_line": curve.cell_line,
        "model": curve.model,
        "verdict": curve.verdict,
        "ec50_um": ec50.value,
        "ec50_relation": ec50.relation,
        "ec50_low_um": ec50.low,
        "ec50_high_um": ec50.high,
        **plateaus_and_slope,
        "emax": curve.emax.fitted,
        "p_value": curve.p_value,
        "q_value": curve.q_value,
        "flags": ";".join(curve.flags),
        **prefixed_metadata(curve),
    }


def _point_records(curve: Curve) -> Iterator[Mapping[str, object]]:
    origin = {"screen": curve.screen, "compound": curve.compound, "cell_line": curve.cell_line}
    for point in curve.points:
        yield {**origin, **point.model_dump(), "concentration_um": point.concentration}


def _csv_text(columns: Sequence[str], records: Iterable[Mapping[str, object]]) -> str:
    """Return CSV with a header. None is an empty cell."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    for record in records:
        writer.writerow({name: _cell(record.get(name)) for name in columns})
    return text.getvalue()


def _cell(value: object) -> object:
    # repr is the shortest form of a float from which the same number is read back.
    return repr(value) if isinstance(value, float) else value
