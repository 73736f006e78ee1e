"""What cannot be trained on, through `gandl train` as typed: exit code 2, a message with the remedy, nothing left."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import BadInput, GandlError, NotFound
from gandl_training.data.source import Source

from tests.training.small_run import gandl, make_treatments

Spoil = Callable[[Source], None]


def no_images(plate: Source) -> None:
    for path in plate.images.rglob("*.tif"):
        path.unlink()


def one_image(plate: Source) -> None:
    for path in plate.images.rglob("*.tif"):
        if not path.name.startswith("A01"):
            path.unlink()


def mixed_sizes(plate: Source) -> None:
    for channel in (1, 2):
        tifffile.imwrite(plate.images / "P1" / f"B02_s1_w{channel}.tif", np.zeros((48, 40), np.uint8))


def mixed_depths(plate: Source) -> None:
    path = plate.images / "P1" / "B02_s1_w2.tif"
    tifffile.imwrite(path, tifffile.imread(path).astype(np.uint16))


def one_field(plate: Source) -> None:
    plate.platemap.write_text("plate,well,role,compound,concentration_um\nP1,A01,treatment,Drug,1\n")


def mixed_depths_of_wells(plate: Source) -> None:
    for channel in (1, 2):
        path = plate.images / "P1" / f"B02_s1_w{channel}.tif"
        tifffile.imwrite(path, tifffile.imread(path).astype(np.uint16) * 257)


def black(plate: Source) -> None:
    for path in plate.images.rglob("*.tif"):
        tifffile.imwrite(path, np.zeros((40, 40), np.uint8))


def not_a_number(plate: Source) -> None:
    for channel in (1, 2):
        tifffile.imwrite(plate.images / "P1" / f"B02_s1_w{channel}.tif", np.full((40, 40), np.nan, np.float32))


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (no_images, r"images holds no images \(\.tif"),
        (one_image, r"row 3, well: no image of well A02 of plate P1 fits .*and 4 more"),
        (one_field, r"images holds 1 field of the plate map; training needs at least two"),
        (mixed_depths_of_wells, r"B02_s1_w1\.tif is uint16 but A01_s1_w1\.tif of the same plate is uint8; give images"),
        (black, r"no image has a tile of 16×16 with contrast that is not saturated"),
        (mixed_sizes, r"B02_s1_w1\.tif.* 48×40 .*before it .* 40×40; train on fields of one size"),
        (mixed_depths, r"B02_s1_w2\.tif is 40×40 uint16 but B02_s1_w1\.tif of the same site is 40×40 uint8"),
        (not_a_number, r"B02_s1_w1\.tif holds NaN"),
    ],
)
def test_images_that_cannot_be_trained_on(plate: Source, tmp_path: Path, spoil: Spoil, message: str) -> None:
    spoil(plate)
    run = tmp_path / "run"
    with pytest.raises(GandlError, match=message) as error:
        call(plate, run, "--resolution", "16", "--kimg", "0.004")
    assert error.value.exit_code == 2
    assert not run.exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--resolution", "48"), r"resolution 48 is not a power of two from 16; use 32, 64, 128 or 256"),
        (("--resolution", "64"), r"40×40 after downscaling by 1, smaller than the resolution 64"),
        (("--resolution", "16", "--downscale", "4"), r"10×10 after downscaling by 4, smaller than the resolution 16"),
    ],
)
def test_sizes_that_do_not_fit(plate: Source, tmp_path: Path, options: tuple[str, ...], message: str) -> None:
    with pytest.raises(GandlError, match=message) as error:
        call(plate, tmp_path / "run", *options)
    assert error.value.exit_code == 2
    assert not (tmp_path / "run").exists()


def test_a_folder_that_cannot_be_written(plate: Source) -> None:
    """Below a file, which stops root too; a read-only folder does not."""
    with pytest.raises(GandlError, match=r"cannot write the packed fields to .*platemap\.csv/run") as error:
        call(plate, plate.platemap / "run", "--resolution", "16")
    assert error.value.exit_code == 2


@pytest.mark.skipif(
    os.geteuid() == 0 and not Path("/usr/bin/setpriv").exists(), reason="needs setpriv to stop being root"
)
def test_a_read_only_folder(plate: Source, tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o555)
    command = [str(Path(sys.executable).with_name("gandl")), "train", str(plate.images), "--platemap"]
    command += [str(plate.platemap), "--out", str(closed / "run"), "--resolution", "16", "--kimg", "0.01"]
    if os.geteuid() == 0:  # without the right to pass over permissions
        command = ["setpriv", "--bounding-set", "-dac_override", "--inh-caps", "-dac_override", *command]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 2, done.stderr
    assert "cannot write the packed fields" in done.stderr and "Permission denied" in done.stderr
    assert list(closed.iterdir()) == []


def test_a_checkpoint_of_another_configuration(plate: Source, tmp_path: Path) -> None:
    run = tmp_path / "run"
    call(plate, run, "--resolution", "16", "--batch", "4", "--kimg", "0.004")
    before = (run / "checkpoint.pt").read_bytes()
    (run / "checkpoint.pt").write_bytes(before[: len(before) // 2])
    with pytest.raises(GandlError, match=r"checkpoint\.pt is not a gandl checkpoint or is damaged"):
        call(plate, run, "--resume", "--kimg", "0.008")
    (run / "checkpoint.pt").write_bytes(before)
    with pytest.raises(GandlError, match=r"--resume continues with the settings of the run; --batch, --resolution"):
        call(plate, run, "--resume", "--kimg", "0.008", "--resolution", "32", "--batch", "8")
    with pytest.raises(
        GandlError, match=r"--resume continues with the settings of the run; --downscale, --preset, --seed"
    ):
        call(plate, run, "--resume", "--kimg", "0.008", "--preset", "cpu-64", "--seed", "0", "--downscale", "1")
    assert (run / "checkpoint.pt").read_bytes() == before


def test_a_run_that_cannot_be_written_is_not_gone_on_with(plate: Source, tmp_path: Path) -> None:
    run = tmp_path / "run"
    call(plate, run, "--resolution", "16", "--batch", "4", "--kimg", "0.004")
    before = (run / "checkpoint.pt").read_bytes()
    (run / "command.txt").unlink()
    (run / "command.txt").mkdir()  # which stops root too
    with pytest.raises(BadInput, match=r"cannot write to .*run: Is a directory; make it writable or copy the run"):
        call(plate, run, "--resume", "--kimg", "0.008")
    assert (run / "checkpoint.pt").read_bytes() == before


def test_other_images_than_the_run_was_packed_from(plate: Source, tmp_path: Path) -> None:
    run = tmp_path / "run"
    call(plate, run, "--resolution", "16", "--batch", "4", "--kimg", "0.004")
    commands = (run / "command.txt").read_text()
    with pytest.raises(NotFound, match=r"folder .*nowhere is not there"):
        call(replace(plate, images=tmp_path / "nowhere"), run, "--resume", "--kimg", "0.008")
    with pytest.raises(NotFound, match=r"plate map .*nope\.csv is not there"):
        call(replace(plate, platemap=tmp_path / "nope.csv"), run, "--resume", "--kimg", "0.008")
    other = tmp_path / "other.csv"
    other.write_text(plate.platemap.read_text().replace("A03,negative", "A03,positive"))
    message = r"other\.csv is not what this run was packed from: well A03 of plate P1, site 1, differs; give the images"
    with pytest.raises(BadInput, match=message):
        call(replace(plate, platemap=other), run, "--resume", "--kimg", "0.008")
    assert (run / "command.txt").read_text() == commands
    moved = replace(plate, images=plate.images.rename(tmp_path / "moved"))
    call(moved, run, "--resume", "--kimg", "0.008")


def test_treatments_alone_are_trained_on_without_a_probe(plate: Source, tmp_path: Path) -> None:
    make_treatments(plate)
    output = call(plate, tmp_path / "run", "--resolution", "16", "--batch", "4", "--kimg", "0.004")
    assert "control probe" not in output
    assert "kimg: 0.0 kimg" in output


def call(plate: Source, run: Path, *options: str) -> str:
    files = ("train", str(plate.images), "--platemap", str(plate.platemap), "--out", str(run))
    return gandl(*files, "--threads", "1", *options)
