"""Packing, crops, and every kind of data that cannot be trained on."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from gandl_shared.errors import BadInput, Invalid, InvalidImage, NotFound, TrainingFailed
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare_field, read_site, sampled_limits
from gandl_shared.plates import find_sites, read_plate_map
from gandl_training.data import dataset
from gandl_training.data.dataset import Crops, FieldStore, Source, pack, usable

from tests.training.conftest import CAN_MOUNT, MOUNTING, resident


def test_packed_fields_are_what_a_screen_would_see(plate: Source, tmp_path: Path) -> None:
    store = pack(replace(plate, downscale=2), tmp_path / "data", size=16)
    sites = find_sites(plate.images, read_plate_map(plate.platemap))
    limits = sampled_limits([s.files for s in sites], downscale=2)
    expected = prepare_field(read_site(sites[3].files), Preprocessing(limits=limits, size=16, downscale=2))
    assert np.array_equal(store.fields[3], expected)
    assert (store.index.low, store.index.high) == (limits.low, limits.high)
    assert store.index.records[0].role == "positive_control"
    assert isinstance(store.fields, np.memmap)


def test_batches_are_a_function_of_seed_and_step(plate: Source, tmp_path: Path) -> None:
    store = pack(plate, tmp_path / "data", size=16)
    crops = Crops(store, 16, 6, seed=1)
    stream = crops.stream(4)
    assert np.array_equal(next(stream), crops.at(4))
    assert np.array_equal(next(stream), crops.at(5))
    stream.close()
    assert not np.array_equal(crops.at(4), crops.at(5))
    assert not np.array_equal(crops.at(4), replace(crops, seed=2).at(4))
    halves = [replace(crops, rank=r, world=2).at(4) for r in (0, 1)]
    assert np.array_equal(np.concatenate(halves), crops.at(4))


def test_a_stream_does_not_keep_the_store_in_memory(plate: Source, tmp_path: Path) -> None:
    store = pack(plate, tmp_path / "small", size=16)
    large = tmp_path / "large" / "fields.npy"
    large.parent.mkdir()
    fields = np.random.default_rng(0).integers(0, 200, (64, 2, 512, 512), np.uint8)
    np.save(large, fields)
    (large.parent / "fields.json").write_text((tmp_path / "small" / "fields.json").read_text())
    mapped = replace(FieldStore.open(large.parent), index=store.index)
    assert int(mapped.fields.sum(dtype=np.int64)) == int(fields.sum(dtype=np.int64))
    whole = resident(large)
    assert whole > 30_000  # everything was read, and stays
    stream = Crops(mapped, 16, 4, seed=0).stream(0)
    for _ in range(20):
        next(stream)
    stream.close()
    assert resident(large) < whole / 4


def test_blank_and_saturated_crops_are_not_usable() -> None:
    textured = np.random.default_rng(0).integers(0, 200, (2, 16, 16)).astype(np.uint8)
    assert usable(textured)
    assert not usable(np.full((2, 16, 16), 7, np.uint8))
    burnt = textured.copy()
    burnt[1, :5] = 255
    assert not usable(burnt)


def test_blank_crops_are_drawn_again(plate: Source, tmp_path: Path) -> None:
    store = pack(plate, tmp_path / "data", size=16)
    fields = np.array(store.fields)
    fields[:4] = 0
    crops = Crops(replace(store, fields=fields), 16, 64, seed=0).at(0)
    assert sum(usable(crop) for crop in crops) >= 62  # half the fields are blank; 8 draws all fail in 1 of 256


def test_data_that_cannot_be_trained_on(plate: Source, tmp_path: Path) -> None:
    with pytest.raises(InvalidImage, match=r"A01_s1_w1\.tif.* 40×40 .* smaller than the resolution 64"):
        pack(plate, tmp_path / "a", size=64)
    with pytest.raises(BadInput, match="3 channel names for 2 channels"):
        pack(replace(plate, channel_names=("a", "b", "c")), tmp_path / "b", size=16)
    with pytest.raises(NotFound, match="nowhere"):
        pack(replace(plate, images=tmp_path / "nowhere"), tmp_path / "c", size=16)
    with pytest.raises(BadInput, match="cannot write the packed fields"):
        pack(plate, plate.platemap / "data", size=16)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["images", "platemap.csv"]


def test_mixed_sizes_types_and_missing_files_are_named(plate: Source, tmp_path: Path) -> None:
    first, second = (plate.images / "P1" / f"B04_s1_w{c}.tif" for c in (1, 2))
    kept = tifffile.imread(first)
    tifffile.imwrite(first, np.zeros((48, 48), np.uint8))
    tifffile.imwrite(second, np.zeros((48, 48), np.uint8))
    with pytest.raises(InvalidImage, match=r"B04_s1_w1\.tif.*fields of one size"):
        pack(plate, tmp_path / "a" / "data", size=16)
    assert not (tmp_path / "a").exists()
    tifffile.imwrite(first, kept)
    with pytest.raises(InvalidImage, match=r"B04_s1_w2\.tif"):
        pack(plate, tmp_path / "b", size=16)
    tifffile.imwrite(second, kept.astype(np.uint16))
    with pytest.raises(InvalidImage, match=r"B04_s1_w2\.tif"):
        pack(plate, tmp_path / "c", size=16)
    tifffile.imwrite(second, np.full((40, 40), np.nan, np.float32))
    with pytest.raises(InvalidImage, match=r"B04_s1_w2\.tif.*NaN"):
        pack(plate, tmp_path / "d", size=16)
    second.unlink()
    with pytest.raises(Invalid, match="B04"):
        pack(plate, tmp_path / "e", size=16)


def test_bit_depths_may_differ_between_plates_not_within_one(plate: Source, tmp_path: Path) -> None:
    """More wells than the limits are taken from: the odd one is found where it is packed."""
    shutil.copytree(plate.images / "P1", plate.images / "P2")
    lines = plate.platemap.read_text().splitlines()
    plate.platemap.write_text("\n".join([*lines, *(line.replace("P1", "P2") for line in lines[1:])]) + "\n")
    for path in (plate.images / "P2").iterdir():
        tifffile.imwrite(path, tifffile.imread(path).astype(np.uint16) * 257)
    store = pack(plate, tmp_path / "data", size=16)
    assert np.abs(store.fields[8:].astype(int) - store.fields[:8]).max() <= 1
    for path in (plate.images / "P2").glob("A03*"):
        tifffile.imwrite(path, tifffile.imread(path).astype(np.float32))
    with pytest.MonkeyPatch.context() as patch, pytest.raises(InvalidImage, match=r"A03_s1_w1\.tif, .* is float32 but"):
        patch.setattr(
            dataset, "sampled_limits", lambda *_, downscale: IntensityLimits(low=(0.0, 0.0), high=(255.0, 255.0))
        )
        pack(plate, tmp_path / "other", size=16)


def test_a_plate_of_treatments_only_is_packed(plate: Source, tmp_path: Path) -> None:
    text = plate.platemap.read_text()
    plate.platemap.write_text(re.sub(r"(positive|negative)_control,,", "treatment,Drug,1", text))
    store = pack(plate, tmp_path / "data", size=16)
    assert {record.role for record in store.index.records} == {"treatment"}


def test_packing_can_be_stopped_and_leaves_nothing(plate: Source, tmp_path: Path) -> None:
    calls = iter([False] * 4 + [True])
    with pytest.raises(TrainingFailed, match="stopped while packing the fields; nothing is left"):
        pack(plate, tmp_path / "run" / "data", size=16, stopped=lambda: next(calls))
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not CAN_MOUNT, reason="no right to mount a file system of its own")
def test_a_disk_too_small_is_told_before_the_first_field(plate: Source, tmp_path: Path) -> None:
    """A real one, in a process that a write beyond its end would kill: eight fields of 3 kB and the index on 16 kB."""
    (tmp_path / "small").mkdir()
    call = f"pack(Source(Path({str(plate.images)!r}), Path({str(plate.platemap)!r})), Path('run/data'), size=16)"
    script = f"from pathlib import Path; from gandl_training.data.dataset import Source, pack; {call}"
    mounted = 'mount -t tmpfs -o size=16k none small && cd small && "$@"; echo rc $?; ls -A'
    command = [*MOUNTING, "sh", "-c", mounted, "sh", sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "rc 1\n"
    told = r"BadInput: cannot write the packed fields to run/data: .*No space left on device; free some space or give"
    assert re.search(told, done.stderr), done.stderr


def test_a_folder_without_a_store_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="holds no packed fields"):
        FieldStore.open(tmp_path)
