"""Real plates through the real service: the same vector as in a screen. With a released model where there is one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl_embedding.engine import Engine
from gandl_embedding.settings import Settings
from gandl_shared.clients.wire import NPY, from_npy
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare, read_site

from tests.embedding.fixtures.service import ready_client
from tests.embedding.fixtures.tiny_model import tiny_model


@pytest.fixture(scope="module")
def two_channels(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The released model of BBBC013, or a tiny one of the same two channels."""
    released = repository / "models" / "gandl-bbbc013-64.onnx"
    if released.is_file():
        return released
    path: Path = tiny_model(tmp_path_factory.mktemp("model") / "tiny.onnx", channels=2, size=64, downscale=2)
    return path


@pytest.mark.parametrize(
    "limits", [None, IntensityLimits(low=(10.0, 20.0), high=(180.0, 240.0))], ids=["card", "explicit"]
)
def test_a_well_of_bbbc013_is_the_same_vector_over_rest(
    bbbc013: Path, two_channels: Path, limits: IntensityLimits | None
) -> None:
    files = [next(bbbc013.rglob(f"Channel{c}-01-A-01.*")) for c in (1, 2)]
    engine = Engine.load(two_channels, threads=1)
    prepared = Preprocessing(
        limits=limits or engine.card.limits, size=engine.card.size, downscale=engine.card.downscale
    )
    expected = engine.embed(prepare(read_site(files), prepared))
    query = {"low": limits.low, "high": limits.high} if limits else {}
    settings = Settings(models_dir=two_channels.parent, default_model=engine.card.name, threads=1)
    with ready_client(settings) as client:
        uploads = [("channel", (file.name, file.read_bytes())) for file in files]
        answer = client.post("/embed", params=query, files=uploads, headers={"Accept": NPY})
    vectors = from_npy(answer.content)
    assert len(vectors) > 1
    assert (np.linalg.norm(vectors - expected, axis=1) <= 1e-5 * np.linalg.norm(expected, axis=1)).all()


def test_every_released_model_is_valid_and_keeps_its_tiles_apart(repository: Path) -> None:
    released = sorted((repository / "models").glob("*.onnx"))
    if not released:
        pytest.skip("no model is released in models/ yet")
    for path in released:
        engine = Engine.load(path)
        shape = (engine.batch + 3, len(engine.card.channels), engine.card.size, engine.card.size)
        images = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
        together = engine.embed(images)
        alone = np.concatenate([engine.embed(image[None]) for image in images])
        difference = np.linalg.norm(alone - together, axis=1) / np.linalg.norm(together, axis=1)
        assert difference.max() <= 1e-5, path.name
        assert engine.card.parity is not None
        assert engine.card.parity.torch_max <= 1e-4, path.name
