"""One plate map as people's programs write it: the wells of the plain one, or a refusal that names row and remedy."""

from __future__ import annotations

import codecs
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from gandl_shared.errors import InvalidPlateMap
from gandl_shared.plates import PlateMap, Well, read_plate_map

from tests.cases.plates import HEADER, design, write_images, write_plate_map
from tests.cli.command_line import Gandl
from tests.shared.plates.tables.workbook import workbook

Rows = list[list[str]]
DOSE, ROLE, COMPOUND = HEADER.index("concentration_um"), HEADER.index("role"), HEADER.index("compound")
ANOTHER_SPELLING = ("Cmp A", "Cmp  A", "Cmp\u00a0A")


def plain() -> Rows:
    return [list(HEADER), *(list(well.row) for well in design())]


def treatments(rows: Rows) -> Rows:
    return [row for row in rows[1:] if row[ROLE] == "treatment"]


def controls(rows: Rows) -> Rows:
    return [row for row in rows[1:] if row[ROLE] != "treatment"]


def contents(plate_map: PlateMap) -> list[tuple[object, ...]]:
    return [(w.plate, w.well, w.role, w.compound, w.concentration_um, w.cell_line) for w in plate_map.wells]


def expected() -> list[tuple[object, ...]]:
    return [("P1", w.well, w.role, w.compound or None, w.dose_um, "U2OS") for w in design()]


def read(tmp_path: Path, text: str, encoding: str = "utf-8") -> PlateMap:
    path = tmp_path / "map.csv"
    path.write_bytes(text.encode(encoding))
    return read_plate_map(path)


def joined(rows: Rows, separator: str = ",", end: str = "\n") -> str:
    return end.join(separator.join(row) for row in rows) + end


def changed(change: Callable[[Rows], None]) -> Rows:
    rows = plain()
    change(rows)
    return rows


def scaled(factor: float, header: str) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        rows[0][DOSE] = header
        for row in treatments(rows):
            row[DOSE] = f"{float(row[DOSE]) * factor:.10g}"

    return change


def set_cells(column: int, text: str, which: Callable[[Rows], Rows]) -> Callable[[Rows], None]:
    def change(rows: Rows) -> None:
        for row in which(rows):
            row[column] = text

    return change


def role_columns(names: Sequence[str]) -> Callable[[Rows], None]:
    words = {
        "treatment": {"pert_type": "trt", "control_type": ""},
        "negative_control": {"pert_type": "control", "control_type": "negcon"},
        "positive_control": {"pert_type": "control", "control_type": "poscon_cp"},
    }

    def change(rows: Rows) -> None:
        rows[0][ROLE : ROLE + 1] = names
        for row in rows[1:]:
            row[ROLE : ROLE + 1] = [words[row[ROLE]][name] for name in names]

    return change


def spelled(rows: Rows) -> None:
    for number, row in enumerate(treatments(rows)):
        row[COMPOUND] = ANOTHER_SPELLING[number % 3]


def unit_in_cell(rows: Rows) -> None:
    for row in treatments(rows):
        row[DOSE] = f"{row[DOSE]} uM" if float(row[DOSE]) >= 1 else f"{float(row[DOSE]) * 1000:g} nM"


SAME = {
    "nm": changed(scaled(1000, "concentration_nm")),
    "molar": changed(scaled(1e-6, "concentration_m")),
    "header-unit": changed(scaled(1, "Concentration (uM)")),
    "unit-in-cell": changed(unit_in_cell),
    "dmso-nan": changed(set_cells(DOSE, "NaN", controls)),
    "dmso-na": changed(set_cells(DOSE, "NA", controls)),
    "role-blank": changed(set_cells(ROLE, "", treatments)),
    "role-control": changed(role_columns(["pert_type", "control_type"])),
    "role-control-2": changed(role_columns(["control_type", "pert_type"])),
    "trailing": [[*row, ""] for row in plain()],
}


@pytest.mark.parametrize("rows", SAME.values(), ids=SAME)
def test_the_wells_are_those_of_the_plain_map(tmp_path: Path, rows: Rows) -> None:
    assert contents(read(tmp_path, joined(rows))) == expected()


def german() -> str:
    return joined([[cell.replace(".", ",") for cell in row] for row in plain()], ";", "\r\n")


TEXTS = {
    "excel-bom": (codecs.BOM_UTF8.decode() + joined(plain(), ",", "\r\n"), "utf-8"),
    "excel-de": (codecs.BOM_UTF8.decode() + german(), "utf-8"),
    "excel-sep": ("sep=;\r\n" + joined(plain(), ";", "\r\n"), "utf-8"),
    "excel-latin1": (joined([[*row, "volume µl" if row[0] == "plate" else "50"] for row in plain()]), "cp1252"),
    "excel-unicode": (joined(plain(), "\t", "\r\n"), "utf-16"),
    "title-rows": ("Screen 7, exported 2024-05-01\n\n" + joined(plain()), "utf-8"),
    "blank-rows": (joined(plain(), end="\n\n") + ",,,,,\n,,,,,\n", "utf-8"),
    "quoted-newline": (joined([[*row, '"by\nanother"'] for row in plain()]), "utf-8"),
}


@pytest.mark.parametrize(("text", "encoding"), TEXTS.values(), ids=TEXTS)
def test_the_exports_of_spreadsheets_are_read(tmp_path: Path, text: str, encoding: str) -> None:
    assert contents(read(tmp_path, text, encoding)) == expected()


def test_a_workbook_is_read(tmp_path: Path) -> None:
    rows = [[float(cell) if cell.replace(".", "").isdigit() else cell for cell in row] for row in plain()]
    (tmp_path / "map.xlsx").write_bytes(workbook({"readme": [["x"]], "map": rows}))
    assert contents(read_plate_map(tmp_path / "map.xlsx", sheet="map")) == expected()


def test_blanks_and_unicode_forms_of_a_compound_are_one_and_it_is_told(tmp_path: Path) -> None:
    plate_map = read(tmp_path, joined(changed(spelled)))
    assert {well.compound for well in plate_map.used} == {None, "Cmp A"}
    assert "compound 'Cmp A' is written in 3 ways" in "".join(plate_map.notes)


def drops(rows: Rows) -> None:
    for number, row in enumerate(treatments(rows)):
        row[DOSE] = f"{float(row[DOSE]) * (0.9975, 1.0, 1.0125)[number % 3]:.6g}"


def rounded(rows: Rows) -> None:
    for number, row in enumerate(treatments(rows)):
        row[DOSE] = f"{float(row[DOSE]) / 3:.{(3, 4, 5)[number % 3]}g}"


@pytest.mark.parametrize("change", [drops, rounded], ids=["echo", "round"])
def test_doses_within_measurement_are_told(tmp_path: Path, change: Callable[[Rows], None]) -> None:
    """Curves group them (see the tests of wells of curves); the plate map says so."""
    assert "within 10 % of each other were read as one dose" in "".join(read(tmp_path, joined(changed(change))).notes)


def log(rows: Rows) -> None:
    for row, dose in zip(treatments(rows), ("-2", "-1", "0"), strict=False):
        row[DOSE] = dose


def cased(rows: Rows) -> None:
    for row, name in zip(treatments(rows), ("CmpA", "cmpa", "CMPA"), strict=False):
        row[COMPOUND] = name


def doubled(rows: Rows) -> None:
    for row in rows:
        row.append(row[DOSE])


def comma_in_name(rows: Rows) -> None:
    for row in treatments(rows):
        row[COMPOUND] = "1,10-phenanthroline"


def comma_last(rows: Rows) -> None:
    for row in rows:
        row.append(row.pop(COMPOUND))
    for row in treatments(rows):
        row[-1] = "1,3-butanediol"


def thousands(rows: Rows) -> None:
    for row in treatments(rows):
        row[DOSE] = f'"{float(row[DOSE]) * 1000:,.0f}"'


def short(rows: Rows) -> None:
    for row in treatments(rows):
        row.pop()


def without_dose_column(rows: Rows) -> None:
    rows[0][DOSE] = "amount"


REFUSED = {
    "log": (log, "If the column holds logarithms, name it so, such as log10_concentration_um", 1),
    "compound-case": (cased, "'cmpa' and 'CmpA' in row 2 differ only by upper and lower case", 2),
    "double-column": (doubled, "row 1, concentration_um: column occurs twice, in columns 5 and 7", 1),
    "extra-comma": (comma_in_name, "row 2 has 7 cells, the header 6", 18),
    "comma-last": (comma_last, "row 2 has 7 cells, the header 6", 18),
    "thousands": (thousands, "'1,000' may be 1000 or 1.000", 9),
    "short-rows": (short, "the cell line is empty, but other rows name one", 18),
    "no-dose-column": (without_dose_column, "no column names the concentration of the treatments", 1),
}


@pytest.mark.parametrize(("change", "words", "count"), REFUSED.values(), ids=REFUSED)
def test_what_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, change: Callable[[Rows], None], words: str, count: int
) -> None:
    with pytest.raises(InvalidPlateMap) as error:
        read(tmp_path, joined(changed(change)))
    problems = [str(problem) for problem in error.value.problems]
    assert any(words in problem for problem in problems), problems[:3]
    assert len(problems) == count


def test_a_screen_tells_what_was_assumed_and_keeps_further_columns(
    gandl: Gandl, tmp_path: Path, repository: Path
) -> None:
    """The whole way: a workbook of plate maps, doses in drops, and a column of structures."""
    rows = changed(drops)
    table = [[*row, "smiles" if not n else "CCO" if row[COMPOUND] else ""] for n, row in enumerate(rows)]
    (tmp_path / "map.xlsx").write_bytes(workbook({"readme": [["x"]], "map": table}))
    images, out = write_images(tmp_path / "images"), tmp_path / "out"
    model = repository / "models/gandl-bbbc013-64.onnx"
    ended = gandl(
        "screen", images, "--platemap", tmp_path / "map.xlsx", "--sheet", "map", "--model", model, "--out", out
    )
    assert ended.code == 0, ended.err
    assert "note: Doses of 1 compound within 10 % of each other were read as one dose" in ended.err
    assert "CmpA" in ended.out and "low_replicates" not in ended.out
    assert "were read as one dose" in (out / "report.html").read_text(encoding="utf-8")
    header, row = (out / "dose_response.csv").read_text(encoding="utf-8").splitlines()
    assert header.endswith(",Metadata_smiles")
    assert row.startswith("CmpA,U2OS,hill,active,") and row.endswith(",CCO")


def test_the_plain_map_is_what_is_compared(tmp_path: Path) -> None:
    plate_map = read_plate_map(write_plate_map(tmp_path / "map.csv"))
    assert contents(plate_map) == expected()
    assert plate_map.notes == ()
    assert all(isinstance(well, Well) for well in plate_map.wells)


@pytest.mark.parametrize("name", ["unit", "Units", "Dose units", "Concentration units"])
def test_a_column_of_units_is_never_ignored(tmp_path: Path, name: str) -> None:
    rows = [[*row, name if number == 0 else "nM"] for number, row in enumerate(plain())]
    with pytest.raises(InvalidPlateMap) as refusal:
        read(tmp_path, joined(rows))
    assert "the unit 'nM' contradicts the header 'concentration_um'" in str(refusal.value)
    rows[0][DOSE] = "concentration"
    doses = {w.well: w.concentration_um for w in read(tmp_path, joined(rows)).wells}
    assert all(doses[w.well] == pytest.approx(w.dose_um / 1000) for w in design() if w.dose_um is not None)
