"""The names that a file itself gives its channels: they agree with the model, or the file is refused."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.imaging import read_header
from gandl_shared.plates.selection import contradicts
from numpy.typing import NDArray

from tests.cases.plates import fields
from tests.cases.surveys import MODEL
from tests.cli.command_line import Gandl

FIELD = next(iter(fields().values()))
RELEASED = Path(__file__).parents[3] / "models" / "gandl-bbbc013-64.onnx"
NAMES = {0: "GFP", 1: "DNA"}

Writer = Callable[[Path, NDArray[np.uint16], list[str]], None]


def ome(path: Path, planes: NDArray[np.uint16], names: list[str]) -> None:
    metadata = {"axes": "CYX", "Channel": {"Name": names}}
    tifffile.imwrite(path, planes, ome=True, photometric="minisblack", metadata=metadata)


def shaped(path: Path, planes: NDArray[np.uint16], names: list[str]) -> None:
    metadata = {"axes": "CYX", "Channel": {"Name": names}}
    tifffile.imwrite(path, planes, photometric="minisblack", metadata=metadata)


def imagej(path: Path, planes: NDArray[np.uint16], names: list[str]) -> None:
    tifffile.imwrite(path, planes, imagej=True, metadata={"axes": "CYX", "Labels": names})


def page_names(path: Path, planes: NDArray[np.uint16], names: list[str]) -> None:
    with tifffile.TiffWriter(path) as writer:
        for plane, name in zip(planes, names, strict=True):
            tag = (285, 2, len(name) + 1, name, True)
            writer.write(plane, metadata=None, photometric="minisblack", contiguous=False, extratags=[tag])


@pytest.mark.parametrize("write", [ome, shaped, imagej, page_names])
@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_names_in_a_file_are_read_in_the_order_of_its_planes(
    tmp_path: Path, write: Writer, order: tuple[int, int]
) -> None:
    path = tmp_path / "A01_s1.tif"
    names = [NAMES[channel] for channel in order]
    write(path, FIELD[list(order)], names)
    assert read_header(path).names == tuple(names)
    assert contradicts(names, MODEL) == (order == (1, 0))


@pytest.mark.parametrize("names", [("Channel 1", "Channel 2"), ("", ""), ("488 nm", "640 nm"), ("egfp", "DRAQ5")])
def test_names_that_the_model_does_not_know_contradict_nothing(names: tuple[str, str]) -> None:
    assert not contradicts(names, MODEL)


@pytest.mark.parametrize("names", [("DAPI", "FITC"), ("c:1/2 - DAPI", "c:2/2 - GFP"), ("Hoechst 33342", "")])
def test_names_of_dyes_count(names: tuple[str, str]) -> None:
    assert contradicts(names, MODEL)


def test_a_file_with_its_channels_in_another_order_is_refused(tmp_path: Path, gandl: Gandl) -> None:
    images = tmp_path / "images"
    images.mkdir()
    ome(images / "A01.tif", FIELD[::-1], ["DNA", "GFP"])
    run = gandl("embed", images, "--model", RELEASED, "--out", tmp_path / "out.parquet")
    assert run.code != 0
    assert "the channels are named DNA, GFP in the files" in run.err
    assert "write the files again" in run.err
