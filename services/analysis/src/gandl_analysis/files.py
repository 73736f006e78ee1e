"""The files of a screen: Parquet, CSV, JSON and the report, all written or none.

Column names are the contract of docs/files.md; `embeddings.parquet` is what pycytominer, copairs and AnnData read.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import WellScore
from gandl_shared.store import Profiles, write_profiles

from gandl_analysis.result import ScreenAnalysis
from gandl_analysis.web.report import render_report

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
)
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


def write_files(analysis: ScreenAnalysis, profiles: Profiles, out: Path) -> None:
    """Write all files of a screen into `out`. Each is renamed into place only after all have been written."""
    out.mkdir(parents=True, exist_ok=True)
    content = {name: text.encode() for name, text in texts(analysis).items()}
    content["embeddings.parquet"] = embeddings_parquet(analysis.wells, profiles)
    temporary = {name: out / f".{name}.tmp" for name in content}
    try:
        for name, path in temporary.items():
            path.write_bytes(content[name])
        for name, path in temporary.items():
            path.replace(out / name)
    finally:
        for path in temporary.values():
            path.unlink(missing_ok=True)


def embeddings_parquet(wells: Sequence[WellScore], profiles: Profiles) -> bytes:
    """One row a tile: where it is, what is in its well (`Metadata_*`), and its vector (`gandl_000` …)."""
    buffer = io.BytesIO()
    write_profiles(buffer, profiles)
    table = pq.read_table(buffer)
    by_place = {(w.plate, w.well): w for w in wells}
    rows = [by_place[place] for place in zip(profiles.plates, profiles.wells, strict=True)]
    for i, name in enumerate(("role", "compound", "concentration_um", "cell_line")):
        kind = pa.float64() if name == "concentration_um" else pa.string()
        table = table.add_column(2 + i, f"Metadata_{name}", pa.array([getattr(w, name) for w in rows], kind))
    out = io.BytesIO()
    pq.write_table(table, out, write_statistics=False, compression="none")
    return out.getvalue()


def texts(analysis: ScreenAnalysis) -> dict[str, str]:
    """File name → content of everything but the embeddings."""
    return {
        "wells.csv": wells_csv(analysis.wells),
        "dose_response.csv": curves_csv(analysis.curves),
        "quality.json": json.dumps(analysis.quality.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n",
        "report.html": render_report(analysis),
    }


def wells_csv(wells: Sequence[WellScore]) -> str:
    """One row a well; a well without vectors has empty scores."""
    return csv_text(WELL_COLUMNS, (w.model_dump() for w in wells))


def curves_csv(curves: Sequence[Curve]) -> str:
    """One row a compound and cell line; empty cells where there is no such number."""
    return csv_text(CURVE_COLUMNS, (curve_row(c) for c in curves))


def curve_row(curve: Curve) -> dict[str, object]:
    """A curve's columns of `dose_response.csv`."""
    ec50 = curve.ec50
    return {
        "compound": curve.compound,
        "cell_line": curve.cell_line,
        "model": curve.model,
        "verdict": curve.verdict,
        "ec50_um": ec50.value if ec50 else None,
        "ec50_relation": ec50.relation if ec50 else None,
        "ec50_low_um": ec50.low if ec50 else None,
        "ec50_high_um": ec50.high if ec50 else None,
        **{name: p.estimate for name, p in curve.params.items() if name in ("slope", "bottom", "top")},
        "emax": curve.emax.fitted if curve.emax else None,
        "p_value": curve.p_value,
        "q_value": curve.q_value,
        "flags": ";".join(curve.flags),
    }


def csv_text(columns: Sequence[str], rows: Iterable[Mapping[str, object]]) -> str:
    """CSV with a header; None is an empty cell, floats are in the shortest form that reads back to the same number."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        writer.writerow({k: _cell(row.get(k)) for k in columns})
    return text.getvalue()


def _cell(value: object) -> object:
    return repr(value) if isinstance(value, float) else value
