"""`POST /embed` and `/models`: right vectors by every way in and out, and the right word for every wrong input."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tifffile
from fastapi.testclient import TestClient
from gandl_embedding.engine import Engine
from gandl_embedding.settings import Settings
from gandl_shared.clients.wire import MODEL_ID, NPY, Embeddings, ModelInfo, from_npy, to_npy
from gandl_shared.errors import InvalidModel, NotFound
from gandl_shared.imaging import IntensityLimits, Preprocessing, prepare
from gandl_shared.models import model_id
from gandl_shared.schemas.screen import ErrorBody
from PIL import Image

from tests.embedding.fixtures.service import ready_client

NPY_IN = {"Content-Type": NPY}


def field(channels: int = 2, edge: int = 72, seed: int = 0) -> np.ndarray:
    """A 16-bit field whose values lie about the limits of the tiny model."""
    return np.random.default_rng(seed).integers(0, 260, (channels, edge, edge)).astype(np.uint16)


def tiff(image: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    tifffile.imwrite(buffer, image, photometric="minisblack")
    return buffer.getvalue()


def png(plane: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(plane).save(buffer, "PNG")
    return buffer.getvalue()


def screen_vectors(models_dir: Path, image: np.ndarray, limits: IntensityLimits | None = None) -> np.ndarray:
    """What `gandl screen` makes of a field: prepare, then the engine."""
    engine = Engine.load(models_dir / "two.onnx", threads=1)
    limits = limits or engine.card.limits
    return engine.embed(
        prepare(image, Preprocessing(limits=limits, size=engine.card.size, downscale=engine.card.downscale))
    )


def assert_close(answer: object, expected: np.ndarray) -> None:
    """Equal within the 1e-5 that a vector may change with its batch."""
    vectors = np.asarray(answer, np.float32)
    assert vectors.shape == expected.shape
    assert (np.linalg.norm(vectors - expected, axis=1) <= 1e-5 * np.linalg.norm(expected, axis=1)).all()


def assert_refused(answer: Any, status: int, *words: str) -> None:
    body = ErrorBody.model_validate(answer.json())
    assert answer.status_code == status, body
    assert body.request_id == answer.headers["X-Request-ID"]
    for word in words:
        assert word in body.detail


def test_a_tiff_gives_the_vectors_of_a_screen(client: TestClient, models_dir: Path) -> None:
    answer = client.post("/embed", files={"image": ("A01_s1.tif", tiff(field()))})
    body = Embeddings.model_validate(answer.json())
    assert [(i.name, i.tiles) for i in body.images] == [("A01_s1.tif", 4)]
    assert (body.model, body.model_id) == ("two", model_id(models_dir / "two.onnx"))
    assert body.limits is not None
    assert body.limits.high == (200, 201)
    assert_close(body.vectors, screen_vectors(models_dir, field()))


def test_one_file_a_channel_is_the_same_image(client: TestClient, models_dir: Path) -> None:
    image = field()
    files = [("channel", (f"w{i}.tif", tiff(plane))) for i, plane in enumerate(image)]
    assert_close(client.post("/embed", files=files).json()["vectors"], screen_vectors(models_dir, image))
    files = [("channel", (f"w{i}.png", png(plane))) for i, plane in enumerate(image)]
    assert_close(client.post("/embed", files=files).json()["vectors"], screen_vectors(models_dir, image))


def test_several_images_come_back_in_order(client: TestClient, models_dir: Path) -> None:
    images = [field(seed=1), field(edge=40, seed=2)]
    files = [("image", (f"{i}.tif", tiff(image))) for i, image in enumerate(images)]
    body = client.post("/embed", files=files).json()
    assert [i["tiles"] for i in body["images"]] == [4, 1]
    assert_close(body["vectors"], np.concatenate([screen_vectors(models_dir, image) for image in images]))
    planes = [("channel", (f"{i}.tif", tiff(p))) for i, p in enumerate([*images[0], *images[1]])]
    assert_close(client.post("/embed", files=planes).json()["vectors"], np.asarray(body["vectors"], np.float32))


@pytest.mark.parametrize("dtype", ["uint16", ">u2", "float32", "uint8"])
def test_raw_fields_as_npy_are_prepared(client: TestClient, models_dir: Path, dtype: str) -> None:
    images = np.stack([field(seed=3), field(seed=4)]).clip(0, 255).astype(dtype)
    answer = client.post("/embed", content=to_npy(images), headers=NPY_IN)
    native = images.astype(images.dtype.newbyteorder("="))
    assert_close(answer.json()["vectors"], np.concatenate([screen_vectors(models_dir, image) for image in native]))


def test_ready_tiles_pass_as_they_are(client: TestClient, models_dir: Path) -> None:
    tiles = np.random.default_rng(5).integers(0, 256, (40, 2, 16, 16), dtype=np.uint8)
    answer = client.post("/embed", content=to_npy(tiles), headers={**NPY_IN, "Accept": NPY})
    assert answer.headers["content-type"] == NPY
    assert answer.headers[MODEL_ID] == model_id(models_dir / "two.onnx")
    durations = dict(part.split(";dur=") for part in answer.headers["server-timing"].split(", "))
    assert list(durations) == ["decode", "queue", "compute"]
    assert all(float(each) >= 0 for each in durations.values())
    vectors = from_npy(answer.content)
    assert vectors.dtype == np.float32
    assert_close(vectors, Engine.load(models_dir / "two.onnx", threads=1).embed(tiles))
    assert client.post("/embed", content=to_npy(tiles), headers=NPY_IN).json()["limits"] is None


def test_fortran_order_and_no_tiles_are_read(client: TestClient) -> None:
    tiles = np.random.default_rng(5).integers(0, 256, (3, 2, 16, 16), dtype=np.uint8)
    plain = client.post("/embed", content=to_npy(tiles), headers=NPY_IN).json()["vectors"]
    assert client.post("/embed", content=to_npy(np.asfortranarray(tiles)), headers=NPY_IN).json()["vectors"] == plain
    assert client.post("/embed", content=to_npy(tiles[:0]), headers=NPY_IN).json()["vectors"] == []
    mean = client.post("/embed?pool=mean", content=to_npy(tiles[:0]), headers=NPY_IN)
    assert mean.json()["vectors"] == []


def test_explicit_limits_replace_those_of_the_card(client: TestClient, models_dir: Path) -> None:
    limits = IntensityLimits(low=(10.0, 20.0), high=(100.0, 220.5))
    query = "/embed?low=10&low=20&high=100&high=220.5"
    answer = client.post(query, files={"image": ("a.tif", tiff(field()))})
    assert_close(answer.json()["vectors"], screen_vectors(models_dir, field(), limits))
    assert answer.json()["limits"] == {"low": [10, 20], "high": [100, 220.5]}
    # With limits, 8-bit values are raw ones even in an array that could be tiles.
    raw = field(edge=32)[None].astype(np.uint8)
    assert_close(
        client.post(query, content=to_npy(raw), headers=NPY_IN).json()["vectors"],
        screen_vectors(models_dir, raw[0], limits),
    )


def test_images_that_the_limits_of_the_card_do_not_fit_are_refused_or_reported(client: TestClient) -> None:
    """Counts of 12 bit under the card of a model of 8-bit images: most pixels would become white."""
    counts = np.random.default_rng(0).integers(0, 4096, (2, 32, 32)).astype(np.uint16)
    files = [("image", ("a.tif", tiff(counts)))]
    assert_refused(client.post("/embed", files=files), 422, "of channel C0", "12 bit", "allow_clipping=true")
    answer = client.post("/embed?allow_clipping=true", files=files)
    channels = answer.json()["intensities"]["channels"]
    assert [c["above"] > 0.9 for c in channels] == [True, True]
    assert (answer.json()["intensities"]["bits"], channels[0]["channel"]) == (12, "C0")
    shares = [f"{c['below'] + c['above']:.4f}" for c in channels]
    assert answer.headers["X-Gandl-Clipped"] == ",".join(shares)
    fractions = (counts / 65535).astype(np.float32)
    refusal = client.post("/embed", content=to_npy(fractions[None]), headers=NPY_IN)
    assert_refused(refusal, 422, "of 256 grey levels", "float32")
    assert client.post("/embed?low=0&low=0&high=1&high=1", files=files).status_code == 200


def test_mean_pooling_is_a_vector_an_image(client: TestClient, models_dir: Path) -> None:
    images = [field(seed=6), field(edge=40, seed=7)]
    files = [("image", (f"{i}.tif", tiff(image))) for i, image in enumerate(images)]
    means = np.stack([screen_vectors(models_dir, image).mean(axis=0) for image in images])
    assert_close(client.post("/embed?pool=mean", files=files).json()["vectors"], means)


def test_another_model_is_chosen_by_name(client: TestClient) -> None:
    answer = client.post("/embed?model=five&allow_clipping=true", files={"image": ("a.tif", tiff(field(5, 64)))})
    assert (answer.json()["model"], len(answer.json()["vectors"])) == ("five", 4)


@pytest.mark.parametrize(
    ("accept", "npy"),
    [(NPY, True), ("application/octet-stream", True), ("text/html", False), (f"application/json, {NPY}", False)],
)
def test_accept_decides_the_form(client: TestClient, accept: str, npy: bool) -> None:
    tiles = np.zeros((1, 2, 16, 16), np.uint8)
    answer = client.post("/embed", content=to_npy(tiles), headers={**NPY_IN, "Accept": accept})
    assert (answer.headers["content-type"] == NPY) is npy


def test_models_are_listed_with_their_cards(client: TestClient, models_dir: Path) -> None:
    infos = [ModelInfo.model_validate(m) for m in client.get("/models").json()["models"]]
    assert [(i.name, i.default, i.card.size) for i in infos] == [("five", False, 32), ("two", True, 16)]
    one = ModelInfo.model_validate(client.get("/models/five").json())
    assert (one.id, len(one.card.channels)) == (model_id(models_dir / "five.onnx"), 5)
    assert one.limits is not None
    assert (one.limits.body_bytes, one.limits.tiles) == (2**26, 4096)
    assert one.limits.batch_tiles in (1, 2, 4, 8, 64)  # as measured
    assert_refused(client.get("/models/six"), 404, "'six'", "five, two")


def test_health_metrics_and_docs(client: TestClient) -> None:
    client.post("/embed", content=to_npy(np.zeros((3, 2, 16, 16), np.uint8)), headers=NPY_IN)
    assert client.get("/health/live").status_code == client.get("/docs").status_code == 200
    metrics = client.get("/metrics").text
    assert 'gandl_embedding_stage_seconds_count{model="two",stage="queue"}' in metrics
    assert 'gandl_embedding_tiles_total{model="two"}' in metrics
    assert 'gandl_http_requests_total{method="POST",route="/embed",status="200"}' in metrics
    assert "gandl_embedding_queue_tiles 0.0" in metrics


def object_npy() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("content", "word"),
    [
        (b"", "not an .npy"),
        (b"hello", "not an .npy"),
        (object_npy(), "object"),
        (to_npy(np.zeros((1, 2, 16, 16), np.uint8))[:-1], "promises 512 bytes"),
        (to_npy(np.zeros((1, 2, 16, 16), np.uint8)) + b"x", "promises 512 bytes"),
        (to_npy(np.zeros(2, [("a", "f4")])), "plain numbers"),
        (to_npy(np.zeros((1, 2, 16, 16), np.uint8)).replace(b"(1, ", b"(-1,"), "shape"),
    ],
    ids=["empty", "text", "pickle", "cut", "longer", "structure", "negative"],
)
def test_a_body_that_is_no_npy_is_malformed(client: TestClient, content: bytes, word: str) -> None:
    assert_refused(client.post("/embed", content=content, headers=NPY_IN), 400, word)


def test_a_header_that_promises_terabytes_costs_nothing(client: TestClient) -> None:
    body = to_npy(np.zeros((1, 2, 16, 16), np.uint8)).replace(b"(1, 2, 16, 16), }   ", b"(1, 2, 9999999, 9999), }")
    assert_refused(client.post("/embed", content=body, headers=NPY_IN), 400, "promises")


@pytest.mark.parametrize(
    ("array", "word"),
    [
        (np.zeros((1, 3, 16, 16), np.uint8), "[1, 3, 16, 16]"),
        (np.zeros((2, 16, 16), np.uint8), "[2, 16, 16]"),
        (np.zeros((1, 2, 16, 16), np.int64), "int64"),
        (np.zeros((1, 2, 10, 10), np.uint16), "at least 32×32"),
        (np.full((1, 2, 40, 40), np.nan, np.float32), "NaN"),
    ],
    ids=["channels", "dimensions", "type", "small", "nan"],
)
def test_an_array_that_does_not_fit_is_invalid(client: TestClient, array: np.ndarray, word: str) -> None:
    assert_refused(client.post("/embed", content=to_npy(array), headers=NPY_IN), 422, word)


@pytest.mark.parametrize(
    ("files", "status", "words"),
    [
        ([("image", ("three.tif", tiff(field(3))))], 422, ["three.tif", "3 channels", "C0, C1"]),
        ([("image", ("cut.tif", tiff(field())[:-500]))], 422, ["cut.tif", "20736 bytes"]),
        ([("image", ("notes.tif", b"just text"))], 422, ["notes.tif"]),
        ([("image", ("colour.tif", tiff(np.zeros((4, 4, 3, 3), np.uint8))))], 415, ["colour.tif"]),
        ([("image", ("", b""))], 422, []),
        ([("channel", ("w1.tif", tiff(field(1))))], 422, ["1 'channel' files", "C0, C1"]),
        ([("channel", ("a", tiff(field(1)))), ("channel", ("b", tiff(field(1, 40))))], 422, ["b is 40×40", "a"]),
        ([("picture", ("a.tif", tiff(field())))], 422, ["picture"]),
        ([("image", ("a.tif", tiff(field()))), ("channel", ("b.tif", tiff(field(1))))], 422, ["not both"]),
        ([("image", ("../../etc/x\n.tif", b"text"))], 422, ["x"]),
    ],
    ids=["channels", "cut", "text", "colour", "empty", "one of two", "sizes", "field", "both", "odd name"],
)
def test_files_that_do_not_fit_are_named(client: TestClient, files: Any, status: int, words: list[str]) -> None:
    assert_refused(client.post("/embed", files=files), status, *words)


@pytest.mark.parametrize(
    "query",
    ["low=1&high=2", "low=1&low=2", "low=5&low=5&high=5&high=9", "low=nan&low=0&high=1&high=1", "low=a", "pool=median",
     "low=1e30&low=0&high=1.0000000001e30&high=1", "low=0&low=0&high=1e-44&high=1", "low=-1e60&low=0&high=1e60&high=1"],
)  # fmt: skip
def test_limits_that_cannot_be_are_invalid(client: TestClient, query: str) -> None:
    assert_refused(client.post(f"/embed?{query}", files={"image": ("a.tif", tiff(field()))}), 422)


def test_other_media_types_and_forms(client: TestClient) -> None:
    assert_refused(
        client.post("/embed", content=b"{}", headers={"Content-Type": "application/json"}), 415, "application/json"
    )
    assert_refused(client.post("/embed", content=b"", headers={}), 415)
    assert_refused(client.post("/embed", content=b"x", headers={"Content-Type": "multipart/form-data"}), 400, "form")
    broken = {"Content-Type": "multipart/form-data; boundary=b"}
    assert_refused(client.post("/embed", content=b"--b\r\nno header", headers=broken), 400, "form")
    assert_refused(client.post("/embed", data={"image": "text"}, files={"x": ("", b"")}), 422, "text")
    assert_refused(client.post("/embed?model=none", content=to_npy(np.zeros(1)), headers=NPY_IN), 404, "none")


def test_size_limits_answer_413(models_dir: Path) -> None:
    settings = Settings(
        models_dir=models_dir,
        default_model="two",
        threads=1,
        body_mib=1,
        request_tiles=3,
        request_pixels=6000,
        request_files=2,
    )
    with ready_client(settings) as client:
        big = client.post("/embed", content=b"\x93" * (2**20 + 1), headers=NPY_IN)
        assert_refused(big, 413, "1048577")
        stream = client.post("/embed", content=(b"\x93" * 2**18 for _ in range(5)), headers=NPY_IN)
        assert_refused(stream, 413, "1048576")
        assert_refused(
            client.post("/embed", content=to_npy(np.zeros((4, 2, 16, 16), np.uint8)), headers=NPY_IN), 413, "3 tiles"
        )
        assert_refused(
            client.post("/embed", content=to_npy(np.zeros((1, 2, 64, 64), np.uint16)), headers=NPY_IN), 413, "8192"
        )
        # A few kilobytes on the wire, refused by its header before its pixels are unpacked.
        bomb = io.BytesIO()
        tifffile.imwrite(bomb, np.zeros((2, 2000, 2000), np.uint16), compression="zlib", photometric="minisblack")
        assert_refused(
            client.post("/embed", files={"image": ("bomb.tif", bomb.getvalue())}), 413, "bomb.tif", "8000000"
        )
        many = [("image", (f"{i}.tif", b"")) for i in range(3)]
        assert_refused(client.post("/embed", files=many), 400, "Too many files")


def test_a_key_is_needed_where_one_is_set(models_dir: Path) -> None:
    with ready_client(Settings(models_dir=models_dir, threads=1, api_key="s3cret")) as client:
        assert_refused(client.get("/models"), 401, "X-API-Key")
        assert_refused(client.post("/embed", content=b"", headers={**NPY_IN, "X-API-Key": "wrong"}), 401)
        assert client.get("/models", headers={"X-API-Key": "s3cret"}).status_code == 200
        assert client.get("/health/ready").status_code == 200


def test_a_deadline_answers_504(models_dir: Path) -> None:
    with ready_client(Settings(models_dir=models_dir, default_model="two", threads=1, deadline_s=1e-6)) as client:
        tiles = to_npy(np.zeros((64, 2, 16, 16), np.uint8))
        assert_refused(client.post("/embed", content=tiles, headers=NPY_IN), 504, "64 tiles")


def test_a_bad_folder_stops_the_start(tmp_path: Path, models_dir: Path) -> None:
    with pytest.raises(NotFound, match="no .onnx models"), ready_client(Settings(models_dir=tmp_path)):
        pass
    with pytest.raises(NotFound, match="six"), ready_client(Settings(models_dir=models_dir, default_model="six")):
        pass
    (tmp_path / "odd.onnx").write_text("text")
    with pytest.raises(InvalidModel, match="odd.onnx"), ready_client(Settings(models_dir=tmp_path)):
        pass
