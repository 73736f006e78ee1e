"""What an output folder marks as excluded is left out again, with the same texts beside it."""

from __future__ import annotations

from pathlib import Path

import pytest
from gandl_analysis.formats.exclusions import folder_exclusions, with_exclusions
from gandl_analysis.formats.output_folder import write_files
from gandl_analysis.formats.reread import read_folder, read_wells
from gandl_analysis.pipeline.analyse import analyse
from gandl_shared.errors import InvalidTable
from gandl_shared.schemas.analysis import AnalysisParameters

from tests.analysis.simulated_screens import Simulated

WELLS = """plate,well,role,compound,concentration_um,cell_line,efficacy,excluded
P1,A01,positive_control,,,U2OS,1.0,
P1,A02,positive_control,,,U2OS,0.9,no
P1,A03,negative_control,,,U2OS,-1,yes
P1,A04,treatment,X,1,U2OS,0.5,pipetting failed
P1,A05,treatment,X,2,U2OS,0.5,excluded by Ann: a bubble: seen
P1,A06,treatment,X,3,U2OS,,excluded by Ann: dry
P1,A07,treatment,X,4,U2OS,,image QC: blurred
P1,A08,empty,,,U2OS,,yes
"""
SITES = """plate,well,site,excluded
P1,A01,1,out of focus
P1,A01,2,
P1,A06,1,excluded by Ann: dry
"""


def folder(path: Path, sites: str | None = SITES) -> Path:
    (path / "wells.csv").write_text(WELLS)
    if sites is not None:
        (path / "sites.csv").write_text(sites)
    return path


def test_each_mark_has_its_level_and_its_text(tmp_path: Path) -> None:
    path = folder(tmp_path)
    exclusions = folder_exclusions(path, read_wells(path / "wells.csv"))
    assert [(e.level, e.well, e.site, e.text) for e in exclusions] == [
        ("well", "A03", None, "excluded by wells.csv: excluded"),
        ("well", "A04", None, "excluded by wells.csv: pipetting failed"),
        ("point", "A05", None, "excluded by Ann: a bubble: seen"),
        ("well", "A06", None, "excluded by Ann: dry"),
        ("site", "A01", "1", "excluded by sites.csv: out of focus"),
    ]


def test_an_older_folder_has_no_table_of_sites(tmp_path: Path) -> None:
    path = folder(tmp_path, None)
    assert len(folder_exclusions(path, read_wells(path / "wells.csv"))) == 4


def test_a_table_of_sites_with_a_short_row_is_refused(tmp_path: Path) -> None:
    path = folder(tmp_path, "plate,well,site,excluded\nP1,A01\n")
    with pytest.raises(InvalidTable, match="sites.csv"):
        folder_exclusions(path, read_wells(path / "wells.csv"))


def test_an_analysis_of_the_folder_leaves_out_the_same(tmp_path: Path) -> None:
    screen = Simulated().screen()
    analysed = analyse(screen)
    write_files(analysed, screen.profiles, tmp_path)
    lines = (tmp_path / "wells.csv").read_text().splitlines()
    at = lines[0].split(",").index("excluded")
    row = next(i for i, line in enumerate(lines) if ",negative_control," in line)
    cells = lines[row].split(",")
    lines[row] = ",".join([*cells[:at], "a bubble", *cells[at + 1 :]])
    (tmp_path / "wells.csv").write_text("\n".join(lines) + "\n")
    again = with_exclusions(read_folder(tmp_path, AnalysisParameters()), tmp_path)
    left = analyse(again)
    group, before = left.analysis.quality.cell_lines["U2OS"], analysed.analysis.quality.cell_lines["U2OS"]
    assert group.n_negative == before.n_negative - 1
    assert "1 wells that the column" in left.analysis.notes[-1]
    well = left.analysis.wells[row - 1]
    assert (well.excluded, well.on) == ("excluded by wells.csv: a bubble", None)
    # Parameters that name exclusions themselves decide alone.
    stated = AnalysisParameters(exclusions=())
    assert with_exclusions(read_folder(tmp_path, stated), tmp_path).parameters.exclusions == ()
