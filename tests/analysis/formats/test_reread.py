"""`wells.csv` is read back as it was written, and each unusable row is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from gandl_analysis.formats.output_folder import write_files
from gandl_analysis.formats.reread import folder_exclusions, read_folder, read_wells, with_exclusions
from gandl_analysis.formats.tables.wells import wells_csv
from gandl_analysis.pipeline.analyse import analyse
from gandl_shared.errors import InvalidTable, NotFound
from gandl_shared.plates import Role
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import WellScore

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
HEADER = "plate,well,role,compound,concentration_um,cell_line"


def table(folder: Path, *lines: str, header: str = HEADER) -> Path:
    path = folder / "wells.csv"
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def test_a_written_well_is_read_back(tmp_path: Path) -> None:
    score = WellScore.model_validate(
        {
            "plate": "P1",
            "well": "A01",
            "role": "treatment",
            "compound": "=1+1",
            "concentration_um": 0.1 + 0.2,
            "cell_line": "U2OS",
            "on": 1.0,
            "off": None,
            "efficacy": None,
            "n_tiles": 1,
            "metadata": {"batch": "early"},
        }
    )
    text = wells_csv([score])
    assert ",'=1+1," in text, "a spreadsheet program must not run a name as a formula"
    (tmp_path / "wells.csv").write_text(text)
    (well,) = read_wells(tmp_path / "wells.csv")
    assert (well.plate, well.well, well.role, well.compound) == ("P1", "A01", Role.TREATMENT, "=1+1")
    assert (well.concentration_um, well.table_row, well.metadata) == (0.1 + 0.2, 2, {"batch": "early"})


@pytest.mark.parametrize(
    ("line", "field", "message"),
    [
        (",A01,treatment,X,1,U2OS", "plate", "is empty"),
        ("P1,A01,DMSO,,,U2OS", "role", "'DMSO' is not one of"),
        ("P1,A01,treatment,X,strong,U2OS", "concentration_um", "'strong' is not a concentration"),
        ("P1,A01,treatment,X,-1,U2OS", "concentration_um", "'-1' is not a concentration"),
    ],
)
def test_an_unusable_row_is_named_with_its_field(tmp_path: Path, line: str, field: str, message: str) -> None:
    with pytest.raises(InvalidTable) as error:
        read_wells(table(tmp_path, "P1,B01,treatment,X,1,U2OS", line))
    (problem,) = error.value.problems
    assert (problem.file, problem.row, problem.field) == ("wells.csv", 3, field)
    assert message in problem.detail


@pytest.mark.parametrize("line", ["P1,A01,treatment,1,10-X,1,U2OS", "P1,A01,treatment,X,1"])
def test_a_row_that_was_edited_to_another_length_is_named(tmp_path: Path, line: str) -> None:
    with pytest.raises(InvalidTable, match=r"row 2 has \d cells, the header 6"):
        read_wells(table(tmp_path, line))


def test_a_table_that_a_spreadsheet_saved_is_read(tmp_path: Path) -> None:
    path = table(tmp_path, "P1,A01,treatment,X,1,U2OS")
    path.write_text(path.read_text().replace(",", ";"), encoding="utf-16")
    assert [well.compound for well in read_wells(path)] == ["X"]


def test_all_problems_are_reported_at_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidTable) as error:
        read_wells(table(tmp_path, ",,x,,,", "P1,A01,empty,,,U2OS", "P1,A01,empty,,,U2OS"))
    fields = [(problem.row, problem.field) for problem in error.value.problems]
    assert fields == [(2, "plate"), (2, "well"), (2, "cell_line"), (2, "role"), (4, "well")]


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidTable) as error:
        read_wells(table(tmp_path, "P1,A01,empty,,,U2OS", header=HEADER.replace("role", "rolle")))
    assert [problem.field for problem in error.value.problems] == ["role"]


def test_a_folder_without_files_is_explained(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match="output folder of `gandl screen`"):
        read_folder(tmp_path, AnalysisParameters())


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
    noted = replace(again, notes=left.analysis.notes, parameters=AnalysisParameters())
    assert with_exclusions(noted, tmp_path).notes == left.analysis.notes  # a note is not repeated
    well = left.analysis.wells[row - 1]
    assert (well.excluded, well.on) == ("excluded by wells.csv: a bubble", None)
    # Parameters that name exclusions themselves decide alone.
    stated = AnalysisParameters(exclusions=())
    assert with_exclusions(read_folder(tmp_path, stated), tmp_path).parameters.exclusions == ()
