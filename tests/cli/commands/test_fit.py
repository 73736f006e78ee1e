"""`gandl fit`: from a table to curves and plots; every bad table named by row and field, nothing half-written."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
import typer
from gandl.commands.fit import fit, plot_names
from gandl_shared.errors import BadInput, GandlError, InvalidTable, NotFound
from gandl_shared.schemas.curve import Curve
from typer.testing import CliRunner

HEADER = "compound,cell_line,concentration_um,response\n"


@pytest.fixture
def app() -> typer.Typer:
    app = typer.Typer()
    app.command("fit")(fit)
    return app


@pytest.fixture
def table(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    path = tmp_path / "table.csv"
    with path.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["Compound", "cell_line", "concentration_um", "response", "operator"])
        for dose in np.geomspace(0.1, 100, 6):
            for _ in range(4):
                out.writerow(["x/y", "A549", dose, 500 + 300 / (1 + (4.0 / dose) ** 2) + rng.normal() * 20, "me"])
                out.writerow(["inert", "A549", dose, 500 + rng.normal() * 20, "me"])
    return path


def test_curves_and_plots_in_any_unit(app: typer.Typer, table: Path, tmp_path: Path) -> None:
    out, plots = tmp_path / "curves.jsonl", tmp_path / "plots"
    result = CliRunner().invoke(app, [str(table), "--out", str(out), "--plots", str(plots), "--bootstrap", "50"])
    assert result.exit_code == 0, result.output
    curves = [Curve.model_validate_json(line) for line in out.read_text().splitlines()]
    assert [(c.compound, c.verdict) for c in curves] == [("x/y", "active"), ("inert", "inactive")]
    assert curves[0].ec50.value == pytest.approx(4.0, rel=0.3)
    assert curves[0].params["top"].estimate == pytest.approx(800, rel=0.05)
    assert curves[0].crosses_zero_at is None
    assert sorted(p.name for p in plots.iterdir()) == ["A549-inert.svg", "A549-x_y.svg"]
    assert "inert" in result.output


def test_tables_have_the_unit_in_their_names_and_the_absolute_ec50_is_read_at_its_level(
    app: typer.Typer, table: Path, tmp_path: Path
) -> None:
    out, tables = tmp_path / "curves.csv", tmp_path / "tables"
    table.write_text(table.read_text().replace("concentration_um", "concentration"))
    options = ["--out", str(out), "--tables", str(tables), "--bootstrap", "0", "--unit", "nM", "--absolute", "725"]
    result = CliRunner().invoke(app, [str(table), *options])
    assert result.exit_code == 0, result.output
    assert out.read_bytes() == (tables / "dose_response.csv").read_bytes()
    row, inert = csv.DictReader(out.open())
    # The curve goes from 500 to 800, so that 725 is three quarters of the way: 4 * 3 ** (1 / 2).
    assert float(row["absolute_ec50_nM"]) == pytest.approx(4.0 * 3**0.5, rel=0.2)
    assert float(row["absolute_ec50_low_nM"]) < 4.0 * 3**0.5 < float(row["absolute_ec50_high_nM"])
    assert float(row["ec50_nM"]) == pytest.approx(4.0, rel=0.3)
    assert inert["absolute_ec50_nM"] == ""
    assert len(list(csv.DictReader((tables / "dose_response_wells.csv").open()))) == 48
    assert len(list(csv.DictReader((tables / "dose_response_lines.csv").open()))) == 82


def test_equal_replicates_of_single_doses_are_fitted(app: typer.Typer, tmp_path: Path) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "o.jsonl"
    rows = ["a,U,1,0", "a,U,1,0", "a,U,3,50", "a,U,3,52", "b,U,1,0", "b,U,1,0", "b,U,3,0", "b,U,3,0"]
    table.write_text(HEADER + "\n".join(rows) + "\n")
    result = CliRunner().invoke(app, [str(table), "--out", str(out), "--bootstrap", "0"])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize(("controls", "lines"), [([], 0), (["--controls", "500,800"], 1)])
def test_the_plot_shows_the_midpoint_of_known_controls_and_no_zero(
    app: typer.Typer, table: Path, tmp_path: Path, controls: list[str], lines: int
) -> None:
    out, plots = tmp_path / "o.jsonl", tmp_path / "plots"
    arguments = [str(table), "--out", str(out), "--plots", str(plots), "--bootstrap", "0", *controls]
    assert CliRunner().invoke(app, arguments).exit_code == 0
    svg = (plots / "A549-inert.svg").read_text()
    assert svg.count("stroke-dasharray") == lines
    assert ">0<" not in svg, "the axis must not be stretched to zero"


def test_doses_that_differ_by_rounding_are_one(app: typer.Typer, tmp_path: Path) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "o.jsonl"
    rng = np.random.default_rng(0)
    rows = [f"a,U,{dose * (1 + 1e-12 * i)!r},{rng.normal()}" for dose in DOSES for i in range(3)]
    table.write_text(HEADER + "\n".join(rows) + "\n")
    assert CliRunner().invoke(app, [str(table), "--out", str(out), "--bootstrap", "0"]).exit_code == 0
    curve = Curve.model_validate_json(out.read_text())
    assert (curve.n_doses, curve.n_wells, curve.lack_of_fit_p is not None) == (6, 18, True)
    assert "low_replicates" not in curve.flags


def test_controls_give_direction_and_midpoint(app: typer.Typer, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "curves.jsonl"
    result = CliRunner().invoke(app, [str(table), "--out", str(out), "--controls", "500,800", "--bootstrap", "0"])
    assert result.exit_code == 0, result.output
    active = Curve.model_validate_json(out.read_text().splitlines()[0])
    assert active.crosses_zero_at == pytest.approx(4.0, rel=0.3)
    assert active.auc is not None and 0.3 < active.auc < 0.7
    turned = CliRunner().invoke(app, [str(table), "--out", str(out), "--controls", "800,-500", "--bootstrap", "0"])
    assert turned.exit_code == 0, turned.output
    assert Curve.model_validate_json(out.read_text().splitlines()[0]).verdict == "toxic"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("a\n1\n", "row 1, compound: column is missing"),
        (HEADER + "a,U,ten,1\n", "row 2, concentration_um: 'ten' is not"),
    ],
    ids=["header", "row"],
)
def test_a_bad_table_is_named_and_nothing_is_written(app: typer.Typer, tmp_path: Path, text: str, message: str) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "out.jsonl"
    path.write_text(text)
    error = CliRunner().invoke(app, [str(path), "--out", str(out), "--plots", str(tmp_path / "plots")]).exception
    assert isinstance(error, InvalidTable)
    assert message in error.detail
    assert error.exit_code == 2
    assert [p.name for p in tmp_path.iterdir()] == ["t.csv"]


DOSES = (0.1, 0.3, 1, 3, 10, 30)
UNDECIDED = {
    "one dose only": ["a,U,1,0.1", "a,U,1,0.3", "a,U,1,0.2"],
    "zero dose only": ["a,U,0,0.1", "a,U,0,0.2"],
    "zero and one dose": ["a,U,0,0.1", "a,U,0,0.2", "a,U,5,0.9", "a,U,5,0.8"],
    "the same row again and again": ["a,U,1,0.5"] * 6,
    "nothing measured": ["a,U,1,NaN", "a,U,3,", "a,U,9,NA"],
    "every well failed QC": [f"a,U,{dose},0.5" for dose in DOSES],
}


@pytest.mark.parametrize("controls", [[], ["--controls=-1,1"]], ids=["no unit", "with controls"])
@pytest.mark.parametrize(("name", "rows"), UNDECIDED.items(), ids=UNDECIDED)
def test_what_does_not_decide_gives_no_made_up_number(
    app: typer.Typer, tmp_path: Path, name: str, rows: list[str], controls: list[str]
) -> None:
    table, out = tmp_path / "t.csv", tmp_path / "o.jsonl"
    why = "image QC: empty" if "QC" in name else ""
    table.write_text(HEADER.replace("\n", ",excluded\n") + "".join(f"{row},{why}\n" for row in rows))
    ran = CliRunner().invoke(app, [str(table), "--out", str(out), "--bootstrap", "0", *controls])
    assert ran.exit_code == 0, ran.output
    curve = Curve.model_validate_json(out.read_text())
    assert (curve.verdict, curve.model) == ("undetermined", "constant")
    assert (curve.ec50.value, curve.ec50.low, curve.ec50.high) == (None, None, None)
    assert (curve.p_value, curve.q_value, curve.auc, curve.window, curve.loss_ec50) == (None,) * 5
    assert "few_doses" in curve.flags
    assert len(curve.points) == len(rows), "no point is lost"
    if "QC" in name:
        assert {(p.weight, p.excluded) for p in curve.points} == {(0.0, why)}


def test_a_zero_dose_is_a_vehicle_well_and_a_compound_in_one_line_has_one_curve(
    app: typer.Typer, tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    rise = [(d, -1 + 2 * d / (1 + d) + rng.normal() * 0.05) for d in (0, *DOSES) for _ in range(3)]
    rows = [f"both,{line},{d},{y}" for line in ("HRCE", "U2OS") for d, y in rise]
    rows += [f"one,HRCE,{d},{y}" for d, y in rise]
    table, out = tmp_path / "t.csv", tmp_path / "o.jsonl"
    table.write_text(HEADER + "\n".join(rows) + "\n")
    ran = CliRunner().invoke(app, [str(table), "--out", str(out), "--controls=-1,1", "--bootstrap", "0"])
    assert ran.exit_code == 0, ran.output
    curves = [Curve.model_validate_json(line) for line in out.read_text().splitlines()]
    assert [(c.compound, c.cell_line) for c in curves] == [("both", "HRCE"), ("both", "U2OS"), ("one", "HRCE")]
    for curve in curves:
        assert (curve.verdict, curve.n_doses, curve.n_wells) == ("active", 7, 21)
        assert curve.ec50.value == pytest.approx(1.0, rel=0.25)
        assert min(x for x, _ in curve.fitted) == 0.1, "a logarithmic axis has no place for zero"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["missing.csv", "--out", "o"], NotFound),
        (["table.csv", "--out", "no/such/folder/o"], BadInput),
        (["table.csv", "--out", "o", "--controls", "1,1"], BadInput),
        (["table.csv", "--out", "o", "--controls", "high"], BadInput),
        (["table.csv", "--out", "o", "--alpha", "2"], BadInput),
        (["table.csv", "--out", "o", "--plots", "table.csv"], BadInput),
        (["table.csv", "--out", "/proc/o"], BadInput),
    ],
)
def test_bad_options(
    app: typer.Typer,
    table: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    expected: type[GandlError],
) -> None:
    monkeypatch.chdir(table.parent)
    assert isinstance(CliRunner().invoke(app, arguments).exception, expected)
    assert [p.name for p in table.parent.iterdir()] == ["table.csv"]


def test_a_text_that_is_no_csv(app: typer.Typer, tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(b"\xff\xfe\x00\x01")
    error = CliRunner().invoke(app, [str(path), "--out", str(tmp_path / "o")]).exception
    assert isinstance(error, InvalidTable)


def test_plot_names_are_safe_and_unique() -> None:
    base = {"screen": None, "model": "constant", "aicc": {}, "params": {}, "loss_ec50": None, "crosses_zero_at": None}
    none = {"value": None, "relation": None, "low": None, "high": None, "unit": "uM", "method": ""}
    emax = {"fitted": None, "observed": None, "at": None}
    rest = {"auc": None, "p_value": None, "q_value": None, "lack_of_fit_p": None, "n_doses": 0, "n_wells": 0}
    last = {"verdict": "undetermined", "flags": (), "points": (), "fitted": ()}
    curves = [
        Curve.model_validate({"compound": name, "cell_line": "U", "ec50": none, "emax": emax, **base, **rest, **last})
        for name in ("../../etc/x", "a b", "a/b", "..", "β")
    ]
    names = plot_names(curves)
    assert names == ["U-etc_x.svg", "U-a_b.svg", "U-a_b~2.svg", "U-_.svg", "U-β.svg"]


def test_plateaus_are_fixed_and_shared_by_option(app: typer.Typer, table: Path, tmp_path: Path) -> None:
    out = tmp_path / "curves.jsonl"
    options = ["--bootstrap", "0", "--bottom", "500", "--top", "700:900", "--slope", "2", "--model", "hill"]
    result = CliRunner().invoke(app, [str(table), "--out", str(out), *options])
    assert result.exit_code == 0, result.output
    curve = Curve.model_validate_json(out.read_text().splitlines()[0])
    assert {name for name, p in curve.params.items() if p.is_fixed} == {"bottom", "slope"}
    assert curve.params["bottom"].estimate == 500 and curve.params["slope"].estimate == pytest.approx(2)
    assert curve.ec50.low is not None and curve.ec50.high is not None and curve.ec50.low < 4.0 < curve.ec50.high


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--bottom", "100", "--top", "0"], "--bottom: 100 is not below the top"),
        (["--top", "high"], "--top: 'high' is neither a number"),
        (["--top", "1", "--share", "top"], "--share: top is fixed"),
        (["--model", "4pl"], "--model"),
        (["--weights", "1/sd^2"], "--weights 1/sd^2: a standard deviation of a few replicates"),
        (["--weights", "column", "--null", "unequal"], "--null unequal and --weights column exclude each other"),
        (["--weights", "column", "--reference", "A"], "--reference and --weights exclude each other"),
        (["--weights", "y"], "--weights 'y' is unknown; use none, column, 1/y, 1/y^2"),
        (["--unit", "nM"], "concentration_um: the header says µM, but --unit is nM"),
    ],
)
def test_nonsense_about_curves_names_the_option(
    app: typer.Typer, table: Path, tmp_path: Path, options: list[str], message: str
) -> None:
    error = CliRunner().invoke(app, [str(table), "--out", str(tmp_path / "o.jsonl"), *options]).exception
    assert isinstance(error, GandlError) and error.exit_code == 2
    assert message in error.detail
    assert not (tmp_path / "o.jsonl").exists()
