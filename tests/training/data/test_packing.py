"""Packing: the fields of a screen as a screen would prepare them, and every kind of data that cannot be trained on."""

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
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare_field, read_site, sampled_limits, to_uint8
from gandl_shared.plates import find_sites, read_plate_map, single_cells
from gandl_training.data import packing
from gandl_training.data.field_store import StoreIndex
from gandl_training.data.packing import check_source, copy_store, pack
from gandl_training.data.source import Source
from PIL import Image

from tests.training.small_run import CAN_MOUNT, MOUNTING, make_cells, make_treatments


def test_packed_fields_are_those_of_a_screen(plate: Source, tmp_path: Path) -> None:
    store = pack(replace(plate, downscale=2), tmp_path / "data", size=16)
    sites = find_sites(plate.images, read_plate_map(plate.platemap))
    limits = sampled_limits([s.files for s in sites], downscale=2)
    expected = prepare_field(read_site(sites[3].files), Preprocessing(limits=limits, size=16, downscale=2))
    assert np.array_equal(store.fields[3], expected)
    assert (store.index.low, store.index.high) == (limits.low, limits.high)
    assert store.index.records[0].role == "positive_control"
    assert isinstance(store.fields, np.memmap)


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
    original = tifffile.imread(first)
    tifffile.imwrite(first, np.zeros((48, 48), np.uint8))
    tifffile.imwrite(second, np.zeros((48, 48), np.uint8))
    with pytest.raises(InvalidImage, match=r"B04_s1_w1\.tif.*fields of one size"):
        pack(plate, tmp_path / "a" / "data", size=16)
    assert not (tmp_path / "a").exists()
    tifffile.imwrite(first, original)
    with pytest.raises(InvalidImage, match=r"B04_s1_w2\.tif"):
        pack(plate, tmp_path / "b", size=16)
    tifffile.imwrite(second, original.astype(np.uint16))
    with pytest.raises(InvalidImage, match=r"B04_s1_w2\.tif"):
        pack(plate, tmp_path / "c", size=16)
    tifffile.imwrite(second, np.full((40, 40), np.nan, np.float32))
    with pytest.raises(InvalidImage, match=r"B04_s1_w2\.tif.*NaN"):
        pack(plate, tmp_path / "d", size=16)
    second.unlink()
    with pytest.raises(Invalid, match="B04"):
        pack(plate, tmp_path / "e", size=16)


def test_all_files_that_cannot_be_read_are_named_together(plate: Source, tmp_path: Path) -> None:
    for name in ("A02_s1_w2.tif", "B03_s1_w1.tif"):
        path = plate.images / "P1" / name
        path.write_bytes(path.read_bytes()[:300])
    with pytest.raises(InvalidImage, match="leave its well out of the plate map") as error:
        pack(plate, tmp_path / "a" / "data", size=16)
    assert [problem.file for problem in error.value.problems] == ["P1/A02_s1_w2.tif", "P1/B03_s1_w1.tif"]
    assert not (tmp_path / "a").exists()
    cells = make_cells(tmp_path)
    (cells.images / "kind1" / "03.tif").write_bytes(b"")
    Image.new("RGB", (16, 16)).save(cells.images / "kind0" / "colour.png")
    with pytest.raises(InvalidImage, match="put a good copy in its place, or remove it") as error:
        pack(cells, tmp_path / "b", size=16)
    assert [problem.file for problem in error.value.problems] == ["kind0/colour.png", "kind1/03.tif"]


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
        whole_range = IntensityLimits(low=(0.0, 0.0), high=(255.0, 255.0))
        patch.setattr(packing, "sampled_limits", lambda *_, **_options: whole_range)
        pack(plate, tmp_path / "other", size=16)


def test_a_plate_of_treatments_only_is_packed(plate: Source, tmp_path: Path) -> None:
    make_treatments(plate)
    store = pack(plate, tmp_path / "data", size=16)
    assert {record.role for record in store.index.records} == {"treatment"}


def test_packing_can_be_stopped_and_leaves_nothing(plate: Source, tmp_path: Path) -> None:
    calls = iter([False] * 4 + [True])
    with pytest.raises(
        TrainingFailed, match="packing the fields was stopped by a signal, and nothing of them was written"
    ):
        pack(plate, tmp_path / "run" / "data", size=16, stopped=lambda: next(calls))
    assert not (tmp_path / "run").exists()


@pytest.mark.skipif(not CAN_MOUNT, reason="no right to mount a file system of its own")
def test_a_disk_that_is_too_small_is_reported_before_the_first_field(plate: Source, tmp_path: Path) -> None:
    """A real one, in a process that a write beyond its end would kill: eight fields of 3 kB and the index on 16 kB."""
    (tmp_path / "small").mkdir()
    call = f"pack(Source(Path({str(plate.images)!r}), Path({str(plate.platemap)!r})), Path('run/data'), size=16)"
    imports = "from gandl_training.data.packing import pack; from gandl_training.data.source import Source"
    script = f"from pathlib import Path; {imports}; {call}"
    mounted = 'mount -t tmpfs -o size=16k none small && cd small && "$@"; echo rc $?; ls -A'
    command = [*MOUNTING, "sh", "-c", mounted, "sh", sys.executable, "-c", script]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout == "rc 1\n"
    message = (
        r"BadInput: cannot write the packed fields to run/data: .*No space left on device; free some space or give"
    )
    assert re.search(message, done.stderr), done.stderr


def test_the_source_of_a_store_is_recognised(plate: Source, tmp_path: Path) -> None:
    index = pack(plate, tmp_path / "data", size=16).index
    check_source(index, Source(plate.images, plate.platemap))
    older = replace(index, records=tuple(replace(r, experiment="") for r in index.records))
    plate.platemap.write_text(
        "\n".join(
            f"{line},{'experiment' if i == 0 else 'E1'}" for i, line in enumerate(plate.platemap.read_text().split())
        )
    )
    # The experiment was not recorded before, so it is not compared.
    check_source(older, Source(plate.images, plate.platemap))
    plate.platemap.write_text(plate.platemap.read_text().replace("B02,positive", "B02,negative"))
    with pytest.raises(BadInput, match="well B02 of plate P1, site 1, differs; give the images and the plate map"):
        check_source(index, Source(plate.images, plate.platemap))


def test_a_killed_attempt_leaves_no_unfinished_store_for_long(plate: Source, tmp_path: Path) -> None:
    pack(plate, tmp_path / "run" / "data", size=16)
    again = pack(plate, tmp_path / "run" / "data", size=16)
    assert again.index.records and [p.name for p in (tmp_path / "run").iterdir()] == ["data"]


def test_single_cells_are_packed_without_wells(tmp_path: Path) -> None:
    source = make_cells(tmp_path, ((16, 16), (12, 16), (20, 18), (16, 16)))
    store = pack(source, tmp_path / "data", size=16)
    assert (store.fields.shape, store.index.single_cells) == ((4, 2, 16, 16), True)
    assert {(r.plate, r.well, r.role, r.cell_line) for r in store.index.records} == {("", "", "", "")}
    assert [r.site for r in store.index.records] == ["kind0/00.tif", "kind0/02.tif", "kind1/01.tif", "kind1/03.tif"]
    assert (store.index.cell_lines, store.index.has_controls) == ((), False)
    limits = sampled_limits([cell.stacks for cell in single_cells(source.images)], downscale=1)
    assert (store.index.low, store.index.high) == (limits.low, limits.high)
    cut = tifffile.imread(source.images / "kind0" / "02.tif")[:, 2:18, 1:17]
    np.testing.assert_array_equal(store.fields[1], to_uint8(cut.astype(np.float32), limits))
    check_source(StoreIndex.from_json(store.index.to_json()), Source(source.images, None))
    (source.images / "kind1" / "01.tif").unlink()
    with pytest.raises(BadInput, match=r"is not what this run was packed from: image kind1/01\.tif differs"):
        check_source(store.index, source)


def test_single_cells_that_cannot_be_packed(plate: Source, tmp_path: Path) -> None:
    with pytest.raises(
        InvalidImage, match=r"kind1/01\.tif: the image is 40×16 after downscaling, and that of a single"
    ):
        pack(make_cells(tmp_path / "a", ((16, 16), (40, 16))), tmp_path / "data", size=16)
    with pytest.raises(BadInput, match=r"cells holds 1 image; training needs at least two"):
        pack(make_cells(tmp_path / "b", ((16, 16),)), tmp_path / "data", size=16)
    with pytest.raises(BadInput, match="--platemap and --pattern cannot be given with --single-cells"):
        pack(replace(plate, single_cells=True, pattern="{well}.tif"), tmp_path / "data", size=16)
    assert not (tmp_path / "data").exists()


def test_a_store_is_copied_without_its_images(plate: Source, tmp_path: Path) -> None:
    store = pack(plate, tmp_path / "a", size=16)
    copy = copy_store(tmp_path / "a", tmp_path / "b")
    np.testing.assert_array_equal(copy.fields, store.fields)
    assert copy.index == store.index
    with pytest.raises(BadInput, match="holds no packed fields"):
        copy_store(tmp_path / "nowhere", tmp_path / "c")
