"""The committed OpenAPI document is the service's, and the service keeps to it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import schemathesis
from fastapi.testclient import TestClient
from gandl_embedding.app import build
from gandl_embedding.openapi import document
from gandl_embedding.settings import Settings
from gandl_shared.clients.wire import NPY, to_npy
from hypothesis import strategies as st
from schemathesis import BaseSchema, Case, GenerationMode
from schemathesis.specs.openapi.checks import positive_data_acceptance

from tests.embedding.fixtures.service import ready_client
from tests.shared.web import openapi_harness as harness

KEY = {"X-API-Key": "s3cret"}
BYTES = "application/octet-stream"
ROUTES = {
    "/models": {"get"},
    "/models/{name}": {"get"},
    "/models/reload": {"post"},
    "/embed": {"post"},
    "/v2": {"get"},
    "/v2/health/live": {"get"},
    "/v2/health/ready": {"get"},
    "/v2/models/{name}": {"get"},
    "/v2/models/{name}/ready": {"get"},
    "/v2/models/{name}/infer": {"post"},
    "/v2/models/{name}/versions/{version}": {"get"},
    "/v2/models/{name}/versions/{version}/ready": {"get"},
    "/v2/models/{name}/versions/{version}/infer": {"post"},
    "/health/live": {"get"},
    "/health/ready": {"get"},
    "/metrics": {"get"},
}


def test_the_committed_document_is_the_generated_one(repository: Path) -> None:
    harness.assert_committed(repository, "embedding", document())


def test_the_routes_are_those_of_the_design() -> None:
    assert harness.routes(document()) == ROUTES


def test_every_error_has_the_one_form() -> None:
    harness.assert_one_form_of_errors(document())
    assert set(json.loads(document())["paths"]["/embed"]["post"]["responses"]) == {
        "200", "400", "401", "404", "408", "413", "415", "422", "429", "500", "503", "504"
    }  # fmt: skip


@pytest.fixture(scope="module")
def keyed(models_dir: Path) -> Iterator[TestClient]:
    """A service that demands a key, so that schemathesis also checks that it does."""
    with ready_client(Settings(models_dir=models_dir, threads=1, api_key=KEY["X-API-Key"])) as client:
        yield client


@pytest.fixture(scope="module")
def schema(keyed: TestClient) -> BaseSchema:
    """The document that the service answers; bodies of type .npy are arrays, most of them of a shape that fits."""
    shapes = st.sampled_from([(2, 5, 32, 32), (1, 5, 40, 70), (0, 5, 32, 32), (1, 2, 32, 32)])
    arrays = st.builds(np.zeros, shapes, st.sampled_from([np.uint8, np.uint16, np.float32])).map(to_npy)
    schemathesis.openapi.media_type(NPY, st.one_of(arrays, arrays, st.binary(max_size=64)), aliases=[BYTES])
    return schemathesis.openapi.from_asgi("/openapi.json", keyed.app)


def test_no_route_ignores_a_misspelt_parameter(keyed: TestClient) -> None:
    harness.assert_unknown_parameters_are_refused(document(), keyed, KEY)


def test_generated_requests_are_answered_as_documented(keyed: TestClient, schema: BaseSchema) -> None:
    def prepare(case: Case, mode: GenerationMode, data: st.DataObject) -> None:
        if case.operation.path == "/embed" and mode is GenerationMode.POSITIVE and data.draw(st.booleans()):
            case.query = {}  # Otherwise nearly every request would name a model that does not exist.

    harness.call_with_generated_requests(
        schema,
        prepare,
        examples=lambda operation: 100 if operation.path == "/embed" else 20,
        # No schema can say "a TIFF of two channels", so a request that fits the document may still be refused.
        excluded_checks=[positive_data_acceptance],
        headers=st.just(KEY),
        session=keyed,
    )
    metrics = keyed.get("/metrics").text
    for status in (200, 400, 401, 422):
        assert f'route="/embed",status="{status}"' in metrics, f"no generated request was answered {status}"


def test_the_document_needs_no_model(tmp_path: Path) -> None:
    assert build(Settings(models_dir=tmp_path / "none")).openapi()["info"]["title"] == "gandl embedding"
