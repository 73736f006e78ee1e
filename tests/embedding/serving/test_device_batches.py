"""A batch is measured once per device and kept with the model."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from gandl_embedding.engine import Engine
from gandl_embedding.engine import engine as engines
from gandl_embedding.serving.device_batches import choose_batch, device_of


def refuse(_: Engine) -> int:
    raise AssertionError("the batch was measured again")


def measure(batch: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def measured(engine: Engine) -> int:
        engine.use_batch(batch)
        return batch

    monkeypatch.setattr(Engine, "measure_batch", measured)


def test_a_batch_is_measured_once(model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    measure(4, monkeypatch)
    assert choose_batch(Engine.load(model_file, threads=1), tmp_path) == 4
    monkeypatch.setattr(Engine, "measure_batch", refuse)
    engine = Engine.load(model_file, threads=1)
    # The engine is warmed up with the batch that it will use.
    warm = list[int]()
    monkeypatch.setattr(Engine, "warm_up", lambda engine: warm.append(engine.batch))
    assert choose_batch(engine, tmp_path) == engine.batch == 4
    assert warm == [4]
    # Two threads are another device.
    measure(8, monkeypatch)
    assert choose_batch(Engine.load(model_file, threads=2), tmp_path) == 8
    content = json.loads((tmp_path / "tiny.batches.json").read_text())
    assert content["model_id"] == engine.model_id
    assert sorted(content["batches"].values()) == [4, 8]
    assert "CPUExecutionProvider" in device_of(engine)


@pytest.mark.parametrize("content", ["", "{", '{"model_id": "other", "batches": {}}', '{"batches": 3}'])
def test_a_file_of_another_kind_is_measured_again(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str
) -> None:
    measure(2, monkeypatch)
    (tmp_path / "tiny.batches.json").write_text(content)
    assert choose_batch(Engine.load(model_file, threads=1), tmp_path) == 2
    assert json.loads((tmp_path / "tiny.batches.json").read_text())["batches"]


def test_no_batch_is_taken_that_no_device_could_have(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measure(2, monkeypatch)
    engine = Engine.load(model_file, threads=1)
    forged = {"model_id": engine.model_id, "batches": {device_of(engine): 10**9}}
    (tmp_path / "tiny.batches.json").write_text(json.dumps(forged))
    assert choose_batch(engine, tmp_path) == 2
    # Where nothing can be written, every start measures.
    assert choose_batch(engine, tmp_path / "absent") == 2


def test_a_busy_machine_takes_the_default_batch_and_measures_at_its_next_start(
    model_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    engine = Engine.load(model_file, threads=1)
    default = engine.batch
    monkeypatch.setattr(engines, "MAX_MEASURING_SECONDS", 0.0)
    assert choose_batch(engine, tmp_path) == engine.batch == default
    assert not list(tmp_path.iterdir())
