"""What `gandl simulate` writes: files, tables, reproducibility, and how it refuses."""

from __future__ import annotations

import csv
import hashlib
import json
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from gandl.commands.simulate import simulate
from gandl.simulate import (
    PRESETS,
    Compound,
    Controls,
    DoseLadder,
    Effects,
    Response,
    ScreenDesign,
    preset,
    read_compounds,
    simulate_screen,
)
from gandl.simulate.plates.layout import control_positions, plan
from gandl.simulate.plates.tables import write_tables
from gandl_shared.errors import BadInput, Conflict, GandlError, InvalidTable, NotFound
from gandl_shared.imaging import read_header, read_site
from gandl_shared.plates import find_sites, read_plate_map

TINY = ScreenDesign(
    compounds=(Compound("A", Response(1.0)), Compound("B", Response(), {"VERO-like": Response(2.0)})),
    cell_lines=("VERO-like",),
    ladder=DoseLadder(10.0, 3),
    replicates=1,
    controls=Controls(4, 4),
    size=64,
    seed=5,
)


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {str(f.relative_to(folder)): hashlib.sha256(f.read_bytes()).hexdigest() for f in files}


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def test_same_seed_same_bytes_whatever_the_number_of_processes(tmp_path: Path) -> None:
    one = simulate_screen(tmp_path / "one", TINY, processes=1)
    two = simulate_screen(tmp_path / "two", TINY, processes=2)
    other = simulate_screen(tmp_path / "other", TINY, seed=6)
    assert one.files == two.files == 96 * 5
    assert digests(one.folder) == digests(two.folder)
    same = digests(one.folder).items() & digests(other.folder).items()
    assert {name for name, _ in same} == {"truth.csv"}


def test_the_files_are_what_a_screen_reads(tmp_path: Path) -> None:
    screen = simulate_screen(tmp_path / "s", replace(TINY, sites=2, bits=8))
    wells = read_plate_map(screen.platemap)
    sites = find_sites(screen.images, wells)
    assert len(sites) == 2 * len(wells.used) == 2 * (4 + 4 + 2 * 3)
    assert read_site(sites[0].files).shape == (5, 64, 64)
    assert read_header(sites[0].files[0]).dtype == "uint8"
    assert {site.well for site in sites} == {well.well for well in wells.used}


def test_one_tiff_a_site_holds_the_same_pixels(tmp_path: Path) -> None:
    apart = simulate_screen(tmp_path / "apart", TINY)
    joined = simulate_screen(tmp_path / "joined", replace(TINY, multichannel=True))
    name = "VERO-like-1/A01_s1"
    files = [apart.images / f"{name}_w{c}.tif" for c in range(1, 6)]
    assert (read_site(files) == read_site([joined.images / f"{name}.tif"])).all()
    assert joined.files == 96


def test_truth_tells_each_compound_and_line(tmp_path: Path) -> None:
    design = replace(TINY, cell_lines=("HRCE-like", "VERO-like"))
    screen = simulate_screen(tmp_path / "s", design)
    truth = {(row["compound"], row["cell_line"]): row for row in rows(screen.truth)}
    assert truth["A", "HRCE-like"]["ec50_um"] == "1" and truth["A", "HRCE-like"]["expected_verdict"] == "active"
    assert truth["B", "HRCE-like"]["ec50_um"] == "" and truth["B", "HRCE-like"]["expected_verdict"] == "inactive"
    assert truth["B", "VERO-like"]["ec50_um"] == "2"
    by_well = {(row["plate"], row["well"]): float(row["efficacy"]) for row in rows(tmp_path / "s/truth_wells.csv")}
    for well in rows(screen.platemap):
        expected = {"positive_control": 1.0, "negative_control": -1.0}.get(well["role"])
        if expected is not None:
            assert by_well[well["plate"], well["well"]] == expected
    assert json.loads((tmp_path / "s/design.json").read_text())["seed"] == 5


def test_the_truth_of_one_screen_designs_another(tmp_path: Path) -> None:
    design = preset("screen-24")
    write_tables(tmp_path, design, plan(design))
    read = {compound.name: compound for compound in read_compounds(tmp_path / "truth.csv")}
    assert list(read) == [compound.name for compound in design.compounds]
    for compound in design.compounds:
        for line in design.cell_lines:
            assert read[compound.name].in_cells(line) == compound.in_cells(line)


@pytest.mark.parametrize("name", PRESETS)
def test_presets_are_possible_and_every_dose_has_its_replicates(name: str) -> None:
    design = preset(name)
    assert design.problems() == []
    plates = plan(design)
    treated = Counter(
        (plate.cell_line, well.compound, well.dose_um)
        for plate in plates
        for well in plate.wells
        if well.role == "treatment"
    )
    assert set(treated.values()) == {design.replicates}
    assert len(treated) == len(design.cell_lines) * len(design.compounds) * design.ladder.count


def test_the_evaluation_preset_is_the_one_that_was_fixed() -> None:
    design = preset("screen-24")
    assert (design.seed, preset("demo").seed, preset("training").seed) == (20261102, 20261101, 20261103)
    plates = plan(design)
    assert len(plates) == 8
    for plate in plates:
        roles = Counter(well.role for well in plate.wells)
        assert roles == {"treatment": 72, "positive_control": 12, "negative_control": 12}
    behaviours = Counter(c.in_cells(line).behaviour for c in design.compounds for line in design.cell_lines)
    assert behaviours == {"rescue": 11, "rescue_then_toxic": 4, "inert": 5, "toxin": 4}


@pytest.mark.parametrize(("shape", "count"), [((8, 12), 12), ((8, 12), 22), ((16, 24), 24), ((16, 24), 48)])
@pytest.mark.parametrize("shift", range(4))
def test_controls_spread_over_rows_and_columns(shape: tuple[int, int], count: int, shift: int) -> None:
    positive, negative = control_positions(*shape, count, count, shift)
    assert len({*positive, *negative}) == 2 * count
    for chosen in (positive, negative):
        for axis, length in enumerate(shape):
            used = Counter(place[axis] for place in chosen)
            assert len(used) >= min(count, length) - 1
            assert max(used.values()) <= -(-count // length) + 1


def test_an_existing_folder_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "keep.txt").write_text("mine")
    with pytest.raises(Conflict, match="not an empty folder") as caught:
        simulate_screen(tmp_path, TINY)
    assert caught.value.exit_code == 2
    assert digests(tmp_path).keys() == {"keep.txt"}


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    def fail(done: int, total: int) -> None:
        raise OSError(28, "No space left on device")

    with pytest.raises(GandlError, match="No space left"):
        simulate_screen(tmp_path / "s", TINY, on_progress=fail)
    assert list(tmp_path.iterdir()) == []


def test_progress_counts_every_well(tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    simulate_screen(tmp_path / "s", TINY, on_progress=lambda done, total: seen.append((done, total)))
    assert seen == [(k, 96) for k in range(1, 97)]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"preset": "nope"}, "unknown preset 'nope'; there are demo, screen-24, training"),
        ({"top_dose": -3.0}, "the top dose -3 is not a positive"),
        ({"replicates": 0}, "replicates: 0 is not in"),
        ({"doses": 0}, "0 doses"),
        ({"doses": 24, "replicates": 8, "replicates_per_plate": 8}, "one compound needs 192 wells"),
        ({"dose_step": 1.0}, "dose step"),
        ({"wells": 95}, "95 wells; plates have 96 or 384"),
        ({"bits": 12}, "12 bits"),
        ({"size": 10}, "size: 10"),
        ({"sites": 0}, "sites: 0"),
        ({"seed": -1}, "seed: -1"),
        ({"processes": 0}, "processes: 0"),
        ({"nuisance": -1.0}, "effects must lie in 0..1"),
        ({"positive": 1}, "positive controls: 1"),
        ({"cell_line": ["MCF7"]}, "unknown cell line 'MCF7'; there are HRCE-like, VERO-like"),
        ({"cell_line": ["VERO-like", "VERO-like"]}, "each cell line once"),
    ],
)
def test_impossible_options_are_named(tmp_path: Path, options: dict[str, object], words: str) -> None:
    with pytest.raises(BadInput) as caught:
        simulate(tmp_path / "s", **options)  # type: ignore[arg-type]
    assert words in caught.value.detail
    assert caught.value.exit_code == 2
    assert list(tmp_path.iterdir()) == []


def test_the_command_overrides_the_preset(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "own.csv"
    table.write_text("compound,cell_line,ec50_um,slope,max_rescue,toxicity_ec50_um\nX,,0.7,1.1,0.8,\nY,,,,,4\n")
    out = tmp_path / "s"
    simulate(out, compounds=table, cell_line=["VERO-like"], replicates=1, doses=4, size=64, seed=9, processes=1)
    assert f"1 plates, 96 wells, 480 images in {out / 'Images'}" in capsys.readouterr().out
    truth = rows(out / "truth.csv")
    assert [(r["compound"], r["ec50_um"], r["expected_verdict"]) for r in truth] == [
        ("X", "0.7", "active"),
        ("Y", "", "toxic"),
    ]
    doses = {r["concentration_um"] for r in rows(out / "platemap.csv") if r["role"] == "treatment"}
    assert doses == {"30", "9.487", "3", "0.9487"}


def test_a_line_without_a_row_of_its_own_takes_the_common_one(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("compound,cell_line,ec50_um\nX,,0.8\nX,VERO-like,2.4\nY,VERO-like,1\n")
    first, second = read_compounds(table)
    assert first.in_cells("HRCE-like").ec50_um == 0.8 and first.in_cells("VERO-like").ec50_um == 2.4
    assert second.in_cells("HRCE-like").behaviour == "inert"


def test_empty_wells_are_imaged_without_cells(tmp_path: Path) -> None:
    screen = simulate_screen(tmp_path / "s", replace(TINY, effects=Effects().scaled(0)))
    brightest: dict[str, list[float]] = {"empty": [], "positive_control": []}
    for well in rows(screen.platemap):
        if well["role"] in brightest:
            nuclei = read_site([screen.images / well["plate"] / f"{well['well']}_s1_w1.tif"])
            brightest[well["role"]].append(float(nuclei.max()))
    assert max(brightest["empty"]) < 0.2 * min(brightest["positive_control"])


def test_every_bad_row_of_a_table_of_compounds_is_named(tmp_path: Path) -> None:
    table = tmp_path / "own.csv"
    table.write_text("compound,cell_line,ec50_um,slope\nA,,1,1\nA,,2,1\nB,,abc,-1\n,,1,1\n")
    with pytest.raises(InvalidTable) as caught:
        read_compounds(table)
    places = [(p.file, p.row, p.field) for p in caught.value.problems]
    assert places == [
        ("own.csv", 3, None),
        ("own.csv", 4, "ec50_um"),
        ("own.csv", 4, "slope"),
        ("own.csv", 5, "compound"),
    ]


@pytest.mark.parametrize(
    ("content", "words"),
    [("name\nA\n", "no column 'compound'"), ("compound\n", "no rows"), (b"\xff\xfe\x00II", "not a CSV")],
)
def test_a_table_that_is_none_is_refused(tmp_path: Path, content: str | bytes, words: str) -> None:
    table = tmp_path / "own.csv"
    table.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(InvalidTable, match=words):
        read_compounds(table)


def test_a_missing_table_is_named(tmp_path: Path) -> None:
    with pytest.raises(NotFound, match=r"nowhere\.csv"):
        read_compounds(tmp_path / "nowhere.csv")


@pytest.mark.slow
def test_a_plate_takes_seconds(tmp_path: Path) -> None:
    design = replace(preset("screen-24"), cell_lines=("VERO-like",), replicates=1)
    start = time.perf_counter()
    simulate_screen(tmp_path / "s", design, processes=2)
    assert time.perf_counter() - start < 20
