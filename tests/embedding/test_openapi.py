"""The committed OpenAPI document is the service's, and the service keeps to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
import pytest
import schemathesis
from fastapi.testclient import TestClient
from gandl_embedding.app import build
from gandl_embedding.openapi import document
from gandl_embedding.settings import Settings
from gandl_shared.clients.wire import NPY, to_npy
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import BaseSchema
from schemathesis.specs.openapi.checks import positive_data_acceptance

Serve = Callable[[Settings], AbstractContextManager[TestClient]]

KEY = "s3cret"
BYTES = "application/octet-stream"
ROUTES = {"/models", "/models/{name}", "/embed", "/health/live", "/health/ready", "/metrics"}


def test_the_committed_document_is_the_generated_one(repository: Path) -> None:
    assert (repository / "openapi" / "embedding.json").read_text() == document(), "run `make openapi`"


def test_every_status_has_a_documented_form() -> None:
    paths = json.loads(document())["paths"]
    assert set(paths) == ROUTES
    assert set(paths["/embed"]["post"]["responses"]) == {
        "200", "400", "401", "404", "413", "415", "422", "429", "500", "503", "504"
    }  # fmt: skip
    for operations in paths.values():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    form = response["content"]["application/json"]["schema"]["$ref"]
                    assert form == "#/components/schemas/ErrorBody", (operation["summary"], status)


@pytest.fixture(scope="module")
def keyed(models_dir: Path, serve_ready: Serve) -> Iterator[TestClient]:
    """A service that wants a key, so that schemathesis also checks that it does."""
    with serve_ready(Settings(models_dir=models_dir, threads=1, api_key=KEY)) as client:
        yield client


@pytest.fixture(scope="module")
def schema(keyed: TestClient) -> BaseSchema:
    """The document the service serves; bodies of type .npy are arrays, most of them of a shape that is taken."""
    shapes = st.sampled_from([(2, 5, 32, 32), (1, 5, 40, 70), (0, 5, 32, 32), (1, 2, 32, 32)])
    arrays = st.builds(np.zeros, shapes, st.sampled_from([np.uint8, np.uint16, np.float32])).map(to_npy)
    schemathesis.openapi.media_type(NPY, st.one_of(arrays, arrays, st.binary(max_size=64)), aliases=[BYTES])
    return schemathesis.openapi.from_asgi("/openapi.json", keyed.app)


def test_generated_requests_are_answered_as_documented(keyed: TestClient, schema: BaseSchema) -> None:
    """schemathesis, valid and invalid requests: no 5xx, no status and no body that is not documented."""
    operations = [found.ok() for found in schema.get_all_operations()]
    embed = next(operation for operation in operations if operation.path == "/embed")
    modes = [schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]

    @given(data=st.data())
    @settings(
        max_examples=200,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(data: st.DataObject) -> None:
        operation = data.draw(st.one_of(st.sampled_from(operations), st.just(embed)))
        mode = data.draw(st.sampled_from(modes))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if operation is embed and mode is schemathesis.GenerationMode.POSITIVE and data.draw(st.booleans()):
            case.query = {}  # else nearly every request would name a model that is not there
        # No schema can say "a TIFF of two channels", so a request that fits the document may still be refused.
        key = {"X-API-Key": KEY}
        case.call_and_validate(session=keyed, headers=key, excluded_checks=[positive_data_acceptance])

    check()
    metrics = keyed.get("/metrics").text
    for status in (200, 400, 401, 422):
        assert f'route="/embed",status="{status}"' in metrics, f"no generated request was answered {status}"


def test_the_document_needs_no_model(tmp_path: Path) -> None:
    assert build(Settings(models_dir=tmp_path / "none")).openapi()["info"]["title"] == "gandl embedding"
