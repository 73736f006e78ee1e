"""Whatever is wrong with the input: one clear message, exit code 2, no traceback, nothing written."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
import tifffile
from gandl import main
from onnx import TensorProto, helper

Run = Callable[..., "subprocess.CompletedProcess[str]"]
MODEL = Path(__file__).parents[2] / "models" / "gandl-bbbc013-64.onnx"
HEADER = "plate,well,role,compound,concentration_um,cell_line\n"
ROWS = [
    "P1,A01,positive_control,,,U2OS",
    "P1,A02,negative_control,,,U2OS",
    "P1,A03,treatment,Drug,0.1,U2OS",
    "P1,A04,treatment,Drug,1,U2OS",
    "P1,B01,positive_control,,,U2OS",
    "P1,B02,negative_control,,,U2OS",
]
WELLS = ("A01", "A02", "A03", "A04", "B01", "B02")


class Screen:
    """A small good screen on disk, to be spoilt in one way."""

    def __init__(self, root: Path) -> None:
        self.images = root / "images"
        self.platemap = root / "map.csv"
        self.out = root / "out"
        self.model = MODEL
        rng = np.random.default_rng(0)
        (self.images / "P1").mkdir(parents=True)
        for well in WELLS:
            for channel in (1, 2):
                self.write(f"P1/{well}_s1_w{channel}.tif", rng.integers(0, 255, (160, 160), dtype=np.uint8))
        self.map(ROWS)

    @property
    def command(self) -> list[str]:
        options = ["--platemap", self.platemap, "--model", self.model, "--out", self.out]
        return ["gandl", "screen", str(self.images), *map(str, options)]

    def write(self, name: str, image: np.ndarray) -> None:
        tifffile.imwrite(self.images / name, image)

    def map(self, rows: list[str]) -> None:
        self.platemap.write_text(HEADER + "\n".join(rows) + "\n")

    def replaced(self, row: int, text: str) -> None:
        self.map([text if i == row else line for i, line in enumerate(ROWS, start=2)])


def missing_image(s: Screen) -> None:
    (s.images / "P1/A03_s1_w2.tif").unlink()


def missing_well(s: Screen) -> None:
    for path in s.images.glob("P1/A04*"):
        path.unlink()


def truncated(s: Screen) -> None:
    path = s.images / "P1/A03_s1_w1.tif"
    path.write_bytes(path.read_bytes()[:5000])


def text_named_tif(s: Screen) -> None:
    (s.images / "P1/A03_s1_w1.tif").write_text("hello")


def three_channels(s: Screen) -> None:
    for well in WELLS:
        shutil.copy(s.images / f"P1/{well}_s1_w1.tif", s.images / f"P1/{well}_s1_w3.tif")


def too_small(s: Screen) -> None:
    for channel in (1, 2):
        s.write(f"P1/A03_s1_w{channel}.tif", np.zeros((40, 40), np.uint8))


def no_positive_controls(s: Screen) -> None:
    s.map([row for row in ROWS if "positive" not in row])


def one_positive_control(s: Screen) -> None:
    s.map(ROWS[:4] + ROWS[5:])


def flat_images(s: Screen) -> None:
    """As a camera without light writes them."""
    for path in (s.images / "P1").iterdir():
        s.write(f"P1/{path.name}", np.full((160, 160), 7, np.uint8))


def unknown_role(s: Screen) -> None:
    s.replaced(4, "P1,A03,medicine,Drug,0.1,U2OS")


def negative_dose(s: Screen) -> None:
    s.replaced(4, "P1,A03,treatment,Drug,-0.1,U2OS")


def zero_dose(s: Screen) -> None:
    s.replaced(4, "P1,A03,treatment,Drug,0,U2OS")


def dose_in_words(s: Screen) -> None:
    s.replaced(5, "P1,A04,treatment,Drug,high,U2OS")


def two_rows_for_one_well(s: Screen) -> None:
    s.map([*ROWS, "P1,A03,treatment,Drug,3,U2OS"])


def empty_folder(s: Screen) -> None:
    shutil.rmtree(s.images)
    s.images.mkdir()


def no_folder(s: Screen) -> None:
    shutil.rmtree(s.images)


def no_plate_map(s: Screen) -> None:
    s.platemap.unlink()


def no_model(s: Screen) -> None:
    s.model = s.images / "none.onnx"


def model_of_others(s: Screen) -> None:
    graph = helper.make_graph(
        [helper.make_node("Identity", ["x"], ["y"])],
        "other",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, [1])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, [1])],
    )
    s.model = s.platemap.with_name("other.onnx")
    opset = [helper.make_opsetid("", 18)]
    onnx.save(helper.make_model(graph, opset_imports=opset, ir_version=9), s.model)


def model_that_is_text(s: Screen) -> None:
    s.model = s.platemap.with_name("text.onnx")
    s.model.write_text("no model")


def out_is_a_file(s: Screen) -> None:
    s.out.write_text("mine")


Spoil = Callable[[Screen], None]

CASES = [
    (missing_image, ["A03", "channel 2"]),
    (missing_well, ["row 5", "A04"]),
    (truncated, ["A03_s1_w1.tif", "truncated"]),
    (text_named_tif, ["A03_s1_w1.tif", "not an image"]),
    (three_channels, ["3 files per site", "takes 2"]),
    (too_small, ["A03_s1_w1.tif", "40×40"]),
    (no_positive_controls, ["positive_control", "U2OS"]),
    (one_positive_control, ["row 2", "1 positive_control well", "U2OS", "needs at least two"]),
    (flat_images, ["U2OS has 0 positive and 0 negative", "4 more failed", "A01 image QC: empty", "image_qc.exclude"]),
    (unknown_role, ["row 4", "role", "medicine"]),
    (negative_dose, ["row 4", "concentration_um", "-0.1"]),
    (zero_dose, ["row 4", "concentration_um", "above 0 µM"]),
    (dose_in_words, ["row 5", "concentration_um", "high"]),
    (two_rows_for_one_well, ["row 8", "A03", "rows 4 and 8"]),
    (empty_folder, ["images", "holds no images"]),
    (no_folder, ["images", "is not there"]),
    (no_plate_map, ["map.csv", "is not there"]),
    (no_model, ["none.onnx"]),
    (model_of_others, ["other.onnx", "model card"]),
    (model_that_is_text, ["text.onnx"]),
    (out_is_a_file, ["out", "is a file"]),
]


@pytest.mark.parametrize(("spoil", "words"), CASES, ids=[spoil.__name__ for spoil, _ in CASES])
def test_is_refused_in_words(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, spoil: Spoil, words: list[str]
) -> None:
    screen = Screen(tmp_path)
    spoil(screen)
    before = sorted(tmp_path.rglob("*"))
    monkeypatch.setattr("sys.argv", screen.command)
    with pytest.raises(SystemExit) as ended:
        main.run()
    message = capsys.readouterr().err
    assert ended.value.code == 2, message
    for word in words:
        assert word in message
    assert sorted(tmp_path.rglob("*")) == before, "something was written"


def test_as_a_process_without_a_traceback(tmp_path: Path, gandl: Run) -> None:
    screen = Screen(tmp_path)
    unknown_role(screen)
    ran = gandl(*screen.command[1:])
    assert ran.returncode == 2
    assert "Traceback" not in ran.stderr
    assert "unknown role 'medicine'" in ran.stderr
