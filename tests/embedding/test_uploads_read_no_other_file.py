"""`POST /embed` reads no file that an upload names."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fastapi.testclient import TestClient
from gandl_embedding.engine import Engine
from gandl_shared.imaging import Preprocessing, prepare
from gandl_shared.testing import FileGuard, binary_only_tiff, ome_tiff

FIELD = np.random.default_rng(0).integers(0, 260, (2, 72, 72)).astype(np.uint16)


def vectors_of(models_dir: Path, image: np.ndarray) -> np.ndarray:
    engine = Engine.load(models_dir / "two.onnx", threads=1)
    preprocessing = Preprocessing(limits=engine.card.limits, size=engine.card.size, downscale=engine.card.downscale)
    return engine.embed(prepare(image, preprocessing))


@pytest.mark.parametrize("write", [lambda name: ome_tiff(FIELD, elsewhere=name), lambda n: binary_only_tiff(FIELD, n)])
def test_an_upload_is_embedded_from_its_own_pixels(
    client: TestClient,
    models_dir: Path,
    named_file: tuple[Path, str],
    guard: FileGuard,
    capfd: pytest.CaptureFixture[str],
    write: Callable[[str], bytes],
) -> None:
    target, name = named_file
    start = time.monotonic()
    with guard.guarding(target):
        answer = client.post("/embed", files={"image": ("own.ome.tif", write(name))})
    assert answer.status_code == 200, answer.text
    np.testing.assert_allclose(answer.json()["vectors"], vectors_of(models_dir, FIELD), rtol=1e-5, atol=1e-5)
    assert time.monotonic() - start < 10
    assert "zeroed" not in capfd.readouterr().err


def test_an_upload_without_pixels_of_its_own_is_refused(
    client: TestClient, named_file: tuple[Path, str], guard: FileGuard
) -> None:
    target, name = named_file
    planes = ome_tiff(FIELD, elsewhere=name).replace(b'FileName="own">urn:uuid:1', b'FileName="two">urn:uuid:2')
    with guard.guarding(target):
        for field in ("image", "channel"):
            answer = client.post("/embed", files=[(field, ("own.ome.tif", planes))] * (1 if field == "image" else 2))
            assert answer.status_code == 422
            assert "places no plane in this file" in answer.json()["detail"]
    assert client.get("/health/live").status_code == 200
