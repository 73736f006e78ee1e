"""bfloat16 by OpenVINO: where the processor has it, near the vectors of the file, and refused in words elsewhere."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest
from gandl_embedding.engine import Engine, Precision
from gandl_embedding.engine.openvino_session import OpenVinoSession, check_bfloat16, load_openvino
from gandl_shared.errors import InvalidModel, Unavailable

from tests.embedding.fixtures.fake_openvino import fake_openvino

TILES = np.random.default_rng(8).integers(0, 256, (20, 2, 16, 16), dtype=np.uint8)


@pytest.fixture
def processor(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """A processor with bfloat16."""
    monkeypatch.setitem(sys.modules, "openvino", fake_openvino("FP32", "BF16"))
    return monkeypatch


def test_vectors_are_near_those_of_the_file_and_say_how_near(processor: object, model_file: Path) -> None:
    plain, half = Engine.load(model_file), Engine.load(model_file, precision=Precision.BFLOAT16)
    vectors, expected = half.embed(TILES), plain.embed(TILES)
    assert 0 < np.abs(vectors - expected).max() < 2**-7 * np.abs(expected).max()
    assert plain.agreement is None
    assert half.agreement is not None
    assert 1e-4 < half.agreement.relative_max < 2**-8
    assert 0.9999 < half.agreement.cosine_min < 1


def test_the_precision_belongs_to_the_key(processor: object, model_file: Path) -> None:
    plain, half = Engine.load(model_file), Engine.load(model_file, precision=Precision.BFLOAT16)
    assert (plain.numerics.kind, half.numerics.kind) == ("cpu.float32", "openvino.bfloat16")
    assert half.numerics.runtime == "openvino 2026.4.1"
    assert (half.provider, half.batch, half.model_id) == ("OpenVINO", plain.batch, plain.model_id)
    assert half.measure_batch() == half.batch


def test_a_model_that_suffers_is_refused(processor: pytest.MonkeyPatch, model_file: Path) -> None:
    processor.setitem(sys.modules, "openvino", fake_openvino("BF16", bits=1))
    with pytest.raises(InvalidModel, match=r"does not suit bfloat16: .* down to 0\.9.* 0.999 is needed"):
        Engine.load(model_file, precision=Precision.BFLOAT16)


def test_a_processor_without_bfloat16_is_refused(monkeypatch: pytest.MonkeyPatch, model_file: Path) -> None:
    """OpenVINO would compute in float32 without a word."""
    monkeypatch.setitem(sys.modules, "openvino", fake_openvino("FP32", "INT8"))
    with pytest.raises(Unavailable, match=r"no bfloat16 arithmetic \(AVX512_BF16 or AMX\); leave the precision out"):
        Engine.load(model_file, precision=Precision.BFLOAT16)


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch, model_file: Path) -> None:
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(
        Unavailable, match="a processor with AVX512_BF16 or AMX .* install the package with: pip install openvino"
    ):
        Engine.load(model_file, precision=Precision.BFLOAT16)


def test_what_openvino_cannot_run_is_an_invalid_model(processor: object) -> None:
    with pytest.raises(InvalidModel, match=r"m\.onnx cannot be run by OpenVINO: an operator is not supported"):
        OpenVinoSession(b"broken", "m.onnx")


def test_the_package_itself_is_loaded_without_telemetry(model_file: Path) -> None:
    if importlib.util.find_spec("openvino") is None:
        pytest.skip("the extra bfloat16 is not installed")
    core = load_openvino().Core()
    assert sys.modules["openvino_telemetry"] is None
    assert core.read_model(model_file.read_bytes()).inputs[0].get_any_name() == "images"
    capabilities = core.get_property("CPU", "OPTIMIZATION_CAPABILITIES")
    if "BF16" not in capabilities:
        with pytest.raises(Unavailable, match="no bfloat16"):
            check_bfloat16(capabilities)
