"""The list of exports, and the archive of all of them."""

from __future__ import annotations

import csv
import io
from zipfile import ZipFile

import pytest
from gandl_analysis.formats.exports import catalog
from gandl_analysis.formats.exports.catalog import EXPORTS, LEFT_OUT, export_of
from gandl_analysis.formats.exports.source import ExportChoice
from gandl_shared.errors import Invalid, NotFound

from tests.analysis.formats.exports.hostile import AT_SIGN, EVERYTHING, FORMULA, MINUS, hostile_source

SOURCE = hostile_source()
RUN_BY_PROGRAMS = ("=", "+", "-", "@", "\t", "\r")


def is_harmless(cell: str) -> bool:
    if not cell.startswith(RUN_BY_PROGRAMS) or len(cell) == 1:
        return True
    return float(cell.rstrip("*")) is not None


ABSENT = {
    "retrieval.csv": "did not ask for retrieval",
    "potency_ratios.csv": "named no reference",
    "features.csv": "its vectors come from images and not from a table",
}
"""The tables that the screen does not have, each with a part of the answer."""


@pytest.mark.parametrize("name", [export.name for export in EXPORTS if export.media == "text/csv"])
def test_no_cell_of_a_table_is_a_formula(name: str) -> None:
    if name in ABSENT:
        with pytest.raises(NotFound, match=ABSENT[name]):
            export_of(name).of(SOURCE, EVERYTHING)
        return
    content = export_of(name).of(SOURCE, EVERYTHING)
    assert isinstance(content, bytes)
    cells = [cell for row in csv.reader(io.StringIO(content.decode())) for cell in row]
    assert all(map(is_harmless, cells))
    assert name in ("sites.csv", "plates.csv", "dose_response_covariances.csv") or {
        f"'{text}" for text in (FORMULA, AT_SIGN, MINUS)
    } <= {cell.removesuffix(" (HRCE)") for cell in cells}, name


def test_names_are_unique_and_an_unknown_one_is_refused() -> None:
    assert len({export.name for export in EXPORTS}) == len(EXPORTS)
    with pytest.raises(NotFound, match="no export 'wells.doc'; there are wells.csv"):
        export_of("wells.doc")


def test_a_table_of_everything_takes_no_choice() -> None:
    with pytest.raises(Invalid, match=r"wells\.csv does not take plate"):
        export_of("wells.csv").of(SOURCE, ExportChoice(plate="HRCE-1"))


def test_the_archive_holds_what_there_is_and_names_what_there_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    # Drawing hundreds of figures takes seconds, and they have their own tests.
    monkeypatch.setattr(catalog, "to_pdf", lambda figures: b"%PDF")
    content = export_of("screen.zip").of(SOURCE, EVERYTHING)
    assert not isinstance(content, bytes)
    with ZipFile(io.BytesIO(b"".join(content))) as archive:
        names = set(archive.namelist())
        missing = archive.read(LEFT_OUT).decode()
        assert archive.read("wells.csv") == export_of("wells.csv").of(SOURCE, EVERYTHING)
    assert {"wells.csv", "workbook.xlsx", "prism.csv", "prism.pzfx", "plates.csv", "curves.parquet"} <= names
    assert {"report.html", "notebook.ipynb", "parameters.json", "quality.json"} <= names
    assert [line.split(":")[0] for line in missing.splitlines()] == [
        "potency_ratios.csv",
        "retrieval.csv",
        "features.csv",
        "embeddings.parquet",
        "structures.sdf",
        "figures/e2_c2_plane.pdf",
    ]
    assert {"figures/curves.pdf", "figures/plates.pdf", "figures/controls.pdf", "figures/e2_plane.pdf"} <= names
    assert "axes/E2-HRCE.npz" in names
