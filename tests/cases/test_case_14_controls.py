"""Case 14: controls that do not differ, and channels that show nothing."""

from __future__ import annotations

import csv
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from gandl_shared.imaging import Preprocessing, prepare_field, sampled_limits, site_metrics
from numpy.typing import NDArray

from tests.cases import plates
from tests.cli.command_line import Gandl

MODEL = Path(__file__).parents[2] / "models" / "gandl-bbbc013-64.onnx"
SITES_WITH_LASER = 20

Field = NDArray[np.uint16]


def screened(gandl: Gandl, folder: Path, fields: Mapping[str, Field]) -> tuple[Path, str]:
    """Run `gandl screen` on these fields of the plate; return the output folder and what the command printed."""
    for well, field in fields.items():
        for channel in (0, 1):
            plates.write_tiff(folder / f"images/P1/{well}_s1_w{channel + 1}.tif", field[channel])
    plate_map, out = plates.write_plate_map(folder / "platemap.csv"), folder / "out"
    ended = gandl("screen", folder / "images", "--platemap", plate_map, "--model", MODEL, "--out", out)
    assert ended.code == 0, ended.err
    return out, ended.out


def rows_of(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def quality_of(out: Path) -> dict[str, Any]:  # Any: parsed JSON
    content: dict[str, Any] = json.loads((out / "quality.json").read_text(encoding="utf-8"))
    return content


def test_controls_that_are_the_same_give_no_compound_a_direction(gandl: Gandl, tmp_path: Path) -> None:
    """The positive controls get images of another six negative ones."""
    rng = np.random.default_rng(3)
    fields = dict(plates.fields())
    for well in plates.design():
        if well.role == "positive_control":
            fields[well.well] = np.rint(plates.draw(rng, 0.1) * plates.COUNTS).astype(np.uint16)
    out, text = screened(gandl, tmp_path, fields)
    (curve,) = rows_of(out / "dose_response.csv")
    assert (curve["verdict"], curve["flags"]) == ("undetermined", "controls_at_chance")
    assert not any(curve[name] for name in ("ec50_um", "ec50_relation", "emax", "p_value", "q_value", "slope"))
    group = quality_of(out)["cell_lines"]["U2OS"]
    assert group["at_chance"] and group["chance_p_value"] > 0.01 and group["verdict"] == "poor"
    assert "no better than by chance" in text
    report = (out / "report.html").read_text(encoding="utf-8")
    assert "controls at chance" in report and "0 of 1 compound" in report


def test_a_laser_that_dies_during_the_run_is_named_and_its_wells_are_left_out(gandl: Gandl, tmp_path: Path) -> None:
    """The last ten wells have an offset of 100 counts and the noise of the camera in the second channel."""
    rng = np.random.default_rng(3)
    fields = {well: field.copy() for well, field in plates.fields().items()}
    dark = list(fields)[SITES_WITH_LASER:]
    for well in dark:
        fields[well][1] = 100 + rng.poisson(9, fields[well][1].shape)
    out, text = screened(gandl, tmp_path, fields)
    images = quality_of(out)["images"]["P1"]
    assert (images["usable"], images["reasons"]) == (False, ["channel DNA is dead in 10 of 30 fields"])
    assert {row["well"] for row in rows_of(out / "sites.csv") if row["image_qc"] == "dead (DNA)"} == set(dark)
    assert {row["well"] for row in rows_of(out / "wells.csv") if row["excluded"] == "image QC: dead (DNA)"} == set(dark)
    plate = quality_of(out)["plates"]["P1"]
    assert plate["verdict"] not in ("good", "usable") and "channel DNA is dead" in plate["reasons"][-1]
    assert "Plate P1 is not usable: channel DNA is dead in 10 of 30 fields" in " ".join(text.split())
    assert "P1: channel DNA is dead in 10 of 30 fields" in (out / "report.html").read_text(encoding="utf-8")
    (curve,) = rows_of(out / "dose_response.csv")
    assert curve["verdict"] == "active" and 0.3 < float(curve["ec50_um"]) < 1.0, "the other wells are right"


def test_a_channel_of_one_value_has_no_structure(tmp_path: Path) -> None:
    """Such as 100 in every pixel while the laser is off: the field that the model gets is even too."""
    field = next(iter(plates.fields().values())).copy()
    field[1] = 100
    paths = [tmp_path / "1.tif", tmp_path / "2.tif"]
    for plane, path in zip(field, paths, strict=True):
        plates.write_tiff(path, plane)
    preprocessing = Preprocessing(limits=sampled_limits([paths], downscale=2), size=64, downscale=2)
    metrics = site_metrics(prepare_field(field, preprocessing))
    assert metrics.structure[1] == 0 < metrics.structure[0]
    assert metrics.similarity.tolist() == [0, 0]
