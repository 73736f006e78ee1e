"""The files of a screen: Parquet, CSV, JSON and the report, all written or none.

Column names are the contract of docs/files.md; `embeddings.parquet` is what pycytominer, copairs and AnnData read.
"""

from __future__ import annotations

import contextlib
import csv
import io
import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from gandl_shared.errors import Invalid
from gandl_shared.models import ModelCard
from gandl_shared.plates import metadata_column
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.limits import IntensityLimits
from gandl_shared.schemas.quality import PlateImages
from gandl_shared.schemas.screen import ParkedSite, SiteScore, WellScore
from gandl_shared.store import Profiles, write_profiles
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict

from gandl_analysis.formats.axis_file import axis_bytes, read_axis
from gandl_analysis.pipeline.result import Analysed, ScreenAnalysis
from gandl_analysis.report.render import render_report

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
_TEXTS = ("role", "compound", "cell_line")
AXES = "axes"
"""Folder of the fitted axes."""
ABOUT = "gandl"
"""Key of the file metadata of `embeddings.parquet` that holds `Embedded` as JSON."""
_EMBEDDED = {"screen_name", "model_id", "model", "limits", "limits_from"}

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


class Embedded(BaseModel):
    """How the vectors of a screen were made; with it `embeddings.parquet` can be analysed again by itself."""

    model_config = ConfigDict(frozen=True)

    screen_name: str
    model_id: str
    model: ModelCard
    limits: Mapping[str, IntensityLimits]
    limits_from: str
    parked: tuple[ParkedSite, ...]


def write_files(analysed: Analysed, profiles: Profiles, out: Path) -> None:
    """Write all files of a screen into `out`. They are moved into place only after all have been written."""
    analysis = analysed.analysis
    content = {name: text.encode() for name, text in texts(analysis).items()}
    content["sites.csv"] = sites_csv(analysed.sites).encode()
    about = Embedded(parked=analysis.parked, **analysis.provenance.model_dump(include=_EMBEDDED))
    images = analysis.quality.images
    content["embeddings.parquet"] = embeddings_parquet(analysis.wells, profiles, analysed.tile_efficacy, about, images)
    content |= {f"{AXES}/{stem}.npz": axis_bytes(fit) for stem, fit in analysed.fits.items()}
    fresh = out / ".gandl-new"
    try:
        for name, data in content.items():
            path = fresh / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        _remove_old_axes(out / AXES)
        for name in content:
            (out / name).parent.mkdir(exist_ok=True)
            (fresh / name).replace(out / name)
    finally:
        shutil.rmtree(fresh, ignore_errors=True)


def _remove_old_axes(folder: Path) -> None:
    """Those of an earlier run, which this one may not have; whatever else lies there is not ours."""
    for path in folder.glob("*.npz"):
        with contextlib.suppress(Invalid):
            read_axis(path.read_bytes(), path.name)
            path.unlink()


def embeddings_parquet(
    wells: Sequence[WellScore],
    profiles: Profiles,
    efficacy: NDArray[np.float64] | None = None,
    about: Embedded | None = None,
    images: Mapping[str, PlateImages] | None = None,
) -> bytes:
    """One row a tile: where it is, what is in its well, its `efficacy` [N], what image QC says of its site (`images`,
    by plate) (`Metadata_*`), and its vector (`gandl_000` …). Further columns of the plate map are added where their
    name is free. `about` goes into the file's own metadata."""
    buffer = io.BytesIO()
    write_profiles(buffer, profiles)
    table = pq.read_table(buffer)
    by_place = {(w.plate, w.well): w for w in wells}
    rows = [by_place[place] for place in zip(profiles.plates, profiles.wells, strict=True)]
    columns = {f"Metadata_{n}": pa.array([getattr(w, n) for w in rows], pa.string()) for n in _TEXTS}
    columns["Metadata_concentration_um"] = pa.array([w.concentration_um for w in rows], pa.float64())
    for i, name in enumerate(("role", "compound", "concentration_um", "cell_line")):
        table = table.add_column(2 + i, f"Metadata_{name}", columns[f"Metadata_{name}"])
    if efficacy is not None:
        table = table.add_column(6, "Metadata_efficacy", pa.array(efficacy, pa.float64(), from_pandas=True))
    if profiles.measured:
        at = table.column_names.index("Metadata_sharpness_1")
        table = table.add_column(at, "Metadata_image_qc", pa.array(_image_qc(images or {}, profiles), pa.string()))
    for name in reversed(metadata_columns(wells)):
        if name not in table.column_names:
            table = table.add_column(6, name, pa.array([_metadata(w).get(name, "") for w in rows], pa.string()))
    if about is not None:
        table = table.replace_schema_metadata({ABOUT: about.model_dump_json()})
    out = io.BytesIO()
    pq.write_table(table, out, write_statistics=False, compression="none")
    return out.getvalue()


def metadata_columns(wells: Sequence[WellScore]) -> list[str]:
    """The further columns of the plate map, as they are called in files: with pycytominer's prefix."""
    return list(dict.fromkeys(name for w in wells for name in _metadata(w)))


def _metadata(well: WellScore) -> dict[str, str]:
    return {metadata_column(name): value for name, value in well.metadata.items()}


def _image_qc(images: Mapping[str, PlateImages], profiles: Profiles) -> list[str]:
    """What is wrong with the site of each tile, joined by `;`; empty for a good one."""
    failed = {(p, s.well, s.site): ";".join(s.reasons) for p, found in images.items() for s in found.failed}
    return [failed.get(place, "") for place in zip(profiles.plates, profiles.wells, profiles.sites, strict=True)]


def texts(analysis: ScreenAnalysis) -> dict[str, str]:
    """File name → content of everything but the embeddings."""
    return {
        "wells.csv": wells_csv(analysis.wells),
        "dose_response.csv": curves_csv(analysis.curves),
        "quality.json": json.dumps(analysis.quality.model_dump(mode="json"), indent=1, ensure_ascii=False) + "\n",
        "report.html": render_report(analysis),
    }


def wells_csv(wells: Sequence[WellScore]) -> str:
    """One row a well; a well without vectors has empty scores. Further columns of the plate map come last."""
    return csv_text((*WELL_COLUMNS, *metadata_columns(wells)), ({**w.model_dump(), **_metadata(w)} for w in wells))


def sites_csv(sites: Iterable[SiteScore]) -> str:
    """One row a field of view with vectors."""
    return csv_text(tuple(SiteScore.model_fields), (site.model_dump() for site in sites))


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
