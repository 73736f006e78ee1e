"""`gandl inspect`."""

from __future__ import annotations

import json
from pathlib import Path

from gandl_shared.schemas.image_layout import ImageReport

from tests.cli.command_line import Gandl
from tests.shared.jobs.test_inspection import write


def test_the_report_as_text_and_as_json(tmp_path: Path, gandl: Gandl) -> None:
    images = write(tmp_path / "images", "P1/A01_s1_wDAPI.tif", "P1/A01_s1_wGFP.tif")
    result = gandl("inspect", images, "--channels", "GFP,DAPI")
    assert result.code == 0
    assert "layout         names as of preset gandl" in result.out
    assert "plate          P1: 1 well, 1 site" in result.out
    assert "channel order  as chosen with --channels" in result.out
    assert f"gandl screen {images} --platemap MAP.csv" in result.out
    report = ImageReport.model_validate(json.loads(gandl("inspect", images, "--channels", "GFP,DAPI", "--json").out))
    assert [channel.channel for channel in report.channels] == ["GFP", "DAPI"]


def test_what_is_open_is_printed_and_is_exit_code_1(tmp_path: Path, gandl: Gandl) -> None:
    images = write(tmp_path / "images", "P1/A01_s1_wDAPI.tif", "P1/A01_s1_wGFP.tif")
    result = gandl("inspect", images)
    assert result.code == 1
    assert "channel order  not decided" in result.out
    assert "open: the images have the channels DAPI, GFP, and names have no order of their own" in result.out
