"""The committed OpenAPI document is the service's, and the service keeps to it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import schemathesis
from fastapi.testclient import TestClient
from gandl_embedding.app import build
from gandl_embedding.openapi import document
from gandl_embedding.settings import Settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import BaseSchema

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
def schema(client: TestClient) -> BaseSchema:
    return schemathesis.openapi.from_asgi("/openapi.json", client.app)


@given(data=st.data())
@settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_generated_requests_are_answered_as_documented(
    client: TestClient, schema: BaseSchema, data: st.DataObject
) -> None:
    """schemathesis, valid and invalid requests: no 5xx, no status and no body that is not documented."""
    operations = [found.ok() for found in schema.get_all_operations()]
    operation = data.draw(st.sampled_from(operations))
    mode = data.draw(st.sampled_from([schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE]))
    case = data.draw(operation.as_strategy(generation_mode=mode))
    response = case.call(session=client)
    case.validate_response(response)


def test_the_document_needs_no_model(tmp_path: Path) -> None:
    assert build(Settings(models_dir=tmp_path / "none")).openapi()["info"]["title"] == "gandl embedding"
