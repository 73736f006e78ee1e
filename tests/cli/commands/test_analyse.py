"""`gandl analyse`, and what `gandl screen` shares with it: options, earlier axes, words for what is wrong."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from gandl_analysis.formats.output_folder import write_files
from gandl_analysis.pipeline.analyse import analyse
from gandl_shared.schemas.analysis import AnalysisParameters

from tests.analysis.formats.profiles.tables import profiles
from tests.analysis.simulated_screens import Simulated
from tests.cli.command_line import Gandl

FIRST = Simulated(seed=1, metadata={"A04": {"batch": "early"}, "B04": {"Metadata_batch": "late"}})
LATER = Simulated(seed=2, plates=("L1",))
FILES = [
    "dose_response.csv",
    "dose_response_covariances.csv",
    "dose_response_lines.csv",
    "dose_response_wells.csv",
    "embeddings.parquet",
    "quality.json",
    "report.html",
    "sites.csv",
    "wells.csv",
]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Output folders `first` and `later`, as `gandl screen` writes them."""
    root = tmp_path_factory.mktemp("folders")
    for name, simulated in (("first", FIRST), ("later", LATER)):
        screen = simulated.screen()
        write_files(analyse(screen), screen.profiles, root / name)
    return root


def table(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as file:
        return list(csv.DictReader(file))


def files(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def test_the_same_parameters_give_the_same_files_bit_for_bit(folders: Path, gandl: Gandl, tmp_path: Path) -> None:
    assert gandl("analyse", folders / "first", "--out", tmp_path / "again").code == 0
    assert files(tmp_path / "again") == files(folders / "first")
    assert sorted(files(tmp_path / "again")) == sorted([*FILES, "axes/E2-U2OS.npz"])


def test_other_parameters_are_those_of_an_analysis_by_hand(folders: Path, gandl: Gandl, tmp_path: Path) -> None:
    parameters = {"whitening": "negative_controls", "normalisation": "standardise", "quality": {"good": 0.9}}
    (tmp_path / "chosen.json").write_text(json.dumps(parameters))
    options = [
        "--parameters",
        tmp_path / "chosen.json",
        "--normalise",
        "align",
        "--thresholds",
        "usable=0.8",
        "--seed",
        3,
    ]
    assert gandl("analyse", folders / "first", *options, "--out", tmp_path / "out").code == 0
    expected = AnalysisParameters.model_validate(
        {**parameters, "normalisation": "align", "quality": {"good": 0.9, "usable": 0.8}, "seed": 3}
    )
    screen = FIRST.screen(expected)
    write_files(analyse(screen), screen.profiles, tmp_path / "hand")
    assert files(tmp_path / "out") == files(tmp_path / "hand")


def test_a_folder_can_be_written_over_and_old_axes_go(folders: Path, gandl: Gandl, tmp_path: Path) -> None:
    shutil.copytree(folders / "first", tmp_path / "mine")
    (tmp_path / "mine/axes/notes.npz").write_bytes(b"of the user")
    assert gandl("analyse", tmp_path / "mine", "--preset", "paper", "--out", tmp_path / "mine").code == 0
    assert sorted(p.name for p in (tmp_path / "mine/axes").iterdir()) == ["E2-paper.npz", "notes.npz"]
    assert gandl("analyse", tmp_path / "mine", "--out", tmp_path / "mine").code == 0
    (tmp_path / "mine/axes/notes.npz").unlink()
    assert files(tmp_path / "mine") == files(folders / "first")


def test_columns_of_the_plate_map_stay_with_wells_and_tiles(folders: Path, gandl: Gandl, tmp_path: Path) -> None:
    batches = {row["well"]: row["Metadata_batch"] for row in table(folders / "first/wells.csv")}
    assert {well: batch for well, batch in batches.items() if batch} == {"A04": "early", "B04": "late"}
    tiles = pq.read_table(folders / "first/embeddings.parquet", columns=["Metadata_well", "Metadata_batch"])
    assert set(zip(*tiles.to_pydict().values(), strict=True)) == set(batches.items())


def test_tiles_and_sites_have_efficacies(folders: Path) -> None:
    tiles = pq.read_table(folders / "first/embeddings.parquet").to_pandas()
    for path, by in (("wells.csv", ["well"]), ("sites.csv", ["well", "site"])):
        means = tiles.groupby([f"Metadata_{name}" for name in by])["Metadata_efficacy"].mean()
        for row in table(folders / "first" / path):
            key = tuple(row[name] for name in by)
            assert means[key if len(by) > 1 else key[0]] == pytest.approx(float(row["efficacy"]), rel=1e-9)


class TestEarlierAxis:
    def test_by_file_is_by_hand(self, folders: Path, gandl: Gandl, tmp_path: Path) -> None:
        axis = folders / "first/axes/E2-U2OS.npz"
        assert gandl("analyse", folders / "later", "--axis", axis, "--out", tmp_path).code == 0
        with np.load(axis) as stored:
            weights, bias = stored["weights"].mean(axis=0), stored["biases"].mean()
        on = (LATER.profiles().vectors.astype(float) @ weights + bias).reshape(-1, 6).mean(axis=1)
        scores = [float(row["on"]) for row in table(tmp_path / "wells.csv")]
        assert scores == pytest.approx(on.tolist(), rel=1e-9)
        assert "E2-U2OS.npz; anchors, U2OS: own controls" in json.loads((tmp_path / "quality.json").read_text())["note"]

    def test_a_changed_file_is_refused_and_nothing_is_written(
        self, folders: Path, gandl: Gandl, tmp_path: Path
    ) -> None:
        with np.load(folders / "first/axes/E2-U2OS.npz") as stored:
            arrays = dict(stored)
        arrays["weights"] = arrays["weights"] * 1.001
        np.savez(tmp_path / "mine.npz", **arrays)
        ended = gandl("analyse", folders / "later", "--axis", tmp_path / "mine.npz", "--out", tmp_path / "out")
        assert (ended.code, ended.err.count("\n")) == (2, 1)
        assert "axis mine.npz: this axis was changed after it was written" in ended.err
        assert not (tmp_path / "out").exists()

    def test_a_pickle_is_no_axis(self, folders: Path, gandl: Gandl, tmp_path: Path) -> None:
        np.savez(tmp_path / "mine.npz", header=np.array([{"a": 1}], object), allow_pickle=True)
        ended = gandl("analyse", folders / "later", "--axis", tmp_path / "mine.npz", "--out", tmp_path / "out")
        assert ended.code == 2 and "not an axis that gandl wrote" in ended.err


def no_wells(folder: Path) -> None:
    (folder / "wells.csv").unlink()


def no_embeddings(folder: Path) -> None:
    (folder / "embeddings.parquet").unlink()


def foreign_parquet(folder: Path) -> None:
    pq.write_table(
        pq.read_table(folder / "embeddings.parquet").replace_schema_metadata({}), folder / "embeddings.parquet"
    )


def text_for_parquet(folder: Path) -> None:
    (folder / "embeddings.parquet").write_text("hello")


def truncated_parquet(folder: Path) -> None:
    content = (folder / "embeddings.parquet").read_bytes()
    (folder / "embeddings.parquet").write_bytes(content[: len(content) // 2])


def changed(folder: Path, before: str, after: str) -> None:
    text = (folder / "wells.csv").read_text()
    assert before in text
    (folder / "wells.csv").write_text(text.replace(before, after, 1))


SPOILT = [
    (no_wells, ["wells.csv is not there", "gandl screen"]),
    (no_embeddings, ["embeddings.parquet is not there"]),
    (foreign_parquet, ["embeddings.parquet does not say how its vectors were computed"]),
    (text_for_parquet, ["embeddings.parquet is not a Parquet file"]),
    (truncated_parquet, ["embeddings.parquet is not a Parquet file"]),
    (lambda f: changed(f, "role", "rolle"), ["wells.csv, row 1, role", "column is missing"]),
    (lambda f: changed(f, "P1,A01,positive_control", "P1,A01,good"), ["wells.csv, row 2, role", "'good'"]),
    (lambda f: changed(f, ",0.3,", ",strong,"), ["concentration_um", "'strong'"]),
    (lambda f: changed(f, "P1,A02", "P1,A01"), ["wells.csv, row 3, well", "row 2 already"]),
    (lambda f: changed(f, "P1,A01", "P1,Z01"), ["no row for well A01 of plate P1, which has tiles"]),
]


@pytest.mark.parametrize(("spoil", "words"), SPOILT, ids=range(len(SPOILT)))
def test_what_is_wrong_with_a_folder_is_said(
    folders: Path, gandl: Gandl, tmp_path: Path, spoil: Callable[[Path], None], words: Sequence[str]
) -> None:
    shutil.copytree(folders / "first", tmp_path / "in")
    spoil(tmp_path / "in")
    ended = gandl("analyse", tmp_path / "in", "--out", tmp_path / "out")
    assert ended.code == 2
    for word in words:
        assert word in ended.err
    assert not (tmp_path / "out").exists()


WRONG = [
    (["--preset", "papers"], ["preset", "'default' or 'paper'"]),
    (["--normalise", "tvn"], ["normalisation", "'none', 'standardise', 'align' or 'pca_mad'"]),
    (["--thresholds", "good"], ["--thresholds 'good'", "good=0.6"]),
    (["--thresholds", "great=1"], ["quality.great", "Extra inputs"]),
    (["--thresholds", "good=0.1,usable=0.3"], ["quality", "usable 0.3 is above good 0.1"]),
    (["--preset", "paper", "--normalise", "align"], ["preset paper fixes normalisation at none"]),
    (["--parameters", "none.json"], ["none.json is not there"]),
    (["--axis", "none.npz"], ["none.npz is not there"]),
    (["--preset", "paper", "--axis", "E2-U2OS.npz"], ["preset paper fits its own axis"]),
]


@pytest.mark.parametrize(("options", "words"), WRONG, ids=[" ".join(o) for o, _ in WRONG])
def test_what_is_wrong_with_an_option_is_said(
    folders: Path, gandl: Gandl, tmp_path: Path, options: list[str], words: list[str]
) -> None:
    arguments = [folders / "first/axes" / option if option == "E2-U2OS.npz" else option for option in options]
    ended = gandl("analyse", folders / "first", *arguments, "--out", tmp_path / "out")
    assert ended.code == 2
    for word in words:
        assert word in ended.err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("{", "chosen.json is not JSON"),
        ("[1]", "must be a JSON object"),
        ('{"whiten": "raw"}', "chosen.json, whiten: Extra inputs"),
        ('{"axis_from": {"screen": "x"}}', "axis_from: names a screen of a service; give --axis FILE.npz"),
        ('{"axes": [{"name": "a", "positive": {"x": ["1"]}, "negative": {"role": ["empty"]}}]}', "no column 'x'"),
    ],
)
def test_what_is_wrong_with_a_file_of_parameters_is_said(
    folders: Path, gandl: Gandl, tmp_path: Path, content: str, words: str
) -> None:
    (tmp_path / "chosen.json").write_text(content)
    ended = gandl("analyse", folders / "first", "--parameters", tmp_path / "chosen.json", "--out", tmp_path / "out")
    assert ended.code == 2
    assert words in ended.err


def test_a_table_of_features_gets_all_that_a_screen_gets(gandl: Gandl, tmp_path: Path) -> None:
    """The second analysis, of the folder that the first one wrote, gives the same results byte for byte."""
    profiles().to_csv(tmp_path / "profiles.csv.gz", index=False)
    ended = gandl("analyse", tmp_path / "profiles.csv.gz", "--out", tmp_path / "out", "--retrieval")
    assert ended.code == 0, ended.err
    assert "not the same well position" in (tmp_path / "out/retrieval.csv").read_text()
    assert "recall@1" in ended.out
    assert "note: 24 of 24 features are used" in ended.err
    assert sorted(p.name for p in (tmp_path / "out").iterdir() if p.is_file()) == sorted(
        [*FILES, "features.csv", "retrieval.csv"]
    )
    report = (tmp_path / "out/report.html").read_text()
    assert "profiles.csv.gz" in report
    assert "gandl did not compute them" in report
    assert gandl("analyse", tmp_path / "out", "--out", tmp_path / "again", "--retrieval").code == 0
    for name in (*FILES, "features.csv"):
        assert (tmp_path / "again" / name).read_bytes() == (tmp_path / "out" / name).read_bytes(), name


def test_a_table_that_cannot_be_used_writes_nothing(gandl: Gandl, tmp_path: Path) -> None:
    (tmp_path / "p.csv").write_text("<!DOCTYPE html><title>404</title>\n")
    ended = gandl("analyse", tmp_path / "p.csv", "--out", tmp_path / "out")
    assert (ended.code, (tmp_path / "out").exists()) == (2, False)
    assert "is a page of HTML" in ended.err


def test_options_of_tables_are_refused_for_folders(gandl: Gandl, folders: Path, tmp_path: Path) -> None:
    ended = gandl("analyse", folders / "first", "--out", tmp_path / "out", "--level", "cell")
    assert ended.code == 2
    assert "are for a table of vectors" in ended.err


def test_an_input_that_the_results_would_replace_is_refused(gandl: Gandl, tmp_path: Path) -> None:
    table = tmp_path / "features.csv"
    profiles().to_csv(table, index=False)
    before = table.read_bytes()
    ended = gandl("analyse", table, "--out", tmp_path)
    assert (ended.code, "would be replaced" in ended.err, list(tmp_path.iterdir())) == (2, True, [table])
    assert table.read_bytes() == before
