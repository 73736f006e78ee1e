"""The folder of a run: what it records, and folders that belong to another run."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from gandl_shared.errors import BadInput
from gandl_training.config import TrainConfig
from gandl_training.data.field_store import FieldStore
from gandl_training.data.source import Source
from gandl_training.run import run_folder
from gandl_training.run.checkpoint import CHECKPOINT

from tests.training.small_run import make_plate, packed


def test_a_new_folder_has_the_data_and_the_configuration_for_its_channels(
    tiny: TrainConfig, plate: Source, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    for path in plate.images.rglob("*_w2.tif"):
        path.unlink()
    run_folder.prepare(tiny, plate, out)
    config = run_folder.read_config(out)
    assert (config.network.channels, config.batch) == (1, tiny.batch)
    assert run_folder.open_store(out, config.network).channels == 1


def test_a_folder_that_holds_a_run_is_not_overwritten(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    (tmp_path / CHECKPOINT).write_text("a checkpoint")
    with pytest.raises(BadInput, match="already holds a run; give --resume"):
        run_folder.prepare(tiny, plate, tmp_path)


def test_what_a_killed_process_left_is_removed(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / ".tmp-1").write_text("half a store")
    run_folder.prepare(tiny, plate, tmp_path / "run")
    assert sorted(path.name for path in (tmp_path / "run").iterdir()) == ["config.json", "data"]


def test_the_data_of_another_network_are_refused(tiny: TrainConfig, tmp_path: Path) -> None:
    three = make_plate(tmp_path)
    for path in three.images.rglob("*_w1.tif"):
        shutil.copy(path, path.with_name(path.name.replace("_w1", "_w3")))
    packed(three, tmp_path / "run" / "data")
    with pytest.raises(BadInput, match=r"3 channels of 40×40, the checkpoint's network needs 2 channels of 16×16"):
        run_folder.open_store(tmp_path / "run", tiny.network)


def test_commands_are_recorded_line_by_line(tmp_path: Path) -> None:
    assert run_folder.recorded_commands(tmp_path) == "unknown"
    for command in ("gandl train a", "gandl train a --resume"):
        run_folder.record_command(tmp_path, command)
    assert run_folder.recorded_commands(tmp_path).splitlines() == ["gandl train a", "gandl train a --resume"]
    with pytest.raises(BadInput, match="cannot write to .*nowhere: No such file or directory; make it writable"):
        run_folder.record_command(tmp_path / "nowhere", "gandl train a")


def test_packed_fields_are_the_images_of_further_runs(tiny: TrainConfig, plate: Source, tmp_path: Path) -> None:
    run_folder.prepare(tiny, plate, tmp_path / "a")
    shutil.rmtree(plate.images)
    for source in (tmp_path / "a", tmp_path / "a" / "data"):
        out = tmp_path / f"from-{source.name}"
        run_folder.prepare(replace(tiny, batch=4), Source(source, None), out)
        assert run_folder.read_config(out).batch == 4
        assert run_folder.open_store(out, tiny.network).index == FieldStore.open(tmp_path / "a" / "data").index
    run_folder.prepare(replace(tiny, batch=16), Source(tmp_path / "a", None), tmp_path / "a")
    assert run_folder.read_config(tmp_path / "a").batch == 16
    with pytest.raises(BadInput, match=r"holds packed fields, so options that say how images are read have no effect"):
        run_folder.prepare(tiny, Source(tmp_path / "a", None, downscale=2), tmp_path / "b")
    large = replace(tiny, network=replace(tiny.network, resolution=64))
    with pytest.raises(BadInput, match=r"fields of 2 channels of 40×40, the checkpoint's network needs .* 64×64"):
        run_folder.prepare(large, Source(tmp_path / "a", None), tmp_path / "c")
