"""The committed OpenAPI document is the service's, and the service keeps to it."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import schemathesis
from fastapi.testclient import TestClient
from gandl_analysis.app import build
from gandl_analysis.openapi import document
from gandl_analysis.settings import Settings
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

if TYPE_CHECKING:
    from conftest import Stack

KEY = "s3cret"
SCREEN = "/screens/{id}"
NOT_CHECKED = [positive_data_acceptance, negative_data_rejection]
"""No schema can say which ids there are, so a request that fits the document may be refused; and query parameters that
no route knows are ignored, as everywhere on the web."""
ROUTES = {
    "/screens": {"get", "post"},
    SCREEN: {"get", "delete"},
    f"{SCREEN}/cancel": {"post"},
    f"{SCREEN}/retry": {"post"},
    f"{SCREEN}/analyses": {"get", "post"},
    f"{SCREEN}/events": {"get"},
    f"{SCREEN}/compare/{{other}}": {"get"},
    f"{SCREEN}/quality": {"get"},
    f"{SCREEN}/wells": {"get"},
    f"{SCREEN}/sites": {"get"},
    f"{SCREEN}/axes": {"get"},
    f"{SCREEN}/hits": {"get"},
    f"{SCREEN}/report": {"get"},
    "/compounds": {"get"},
    "/compounds/{id}/dose-response": {"get"},
    "/health/live": {"get"},
    "/health/ready": {"get"},
    "/metrics": {"get"},
}


def test_the_committed_document_is_the_generated_one(repository: Path) -> None:
    assert (repository / "openapi" / "analysis.json").read_text() == document(), "run `make openapi`"


def test_the_routes_are_those_of_the_design() -> None:
    assert {path: set(operations) for path, operations in json.loads(document())["paths"].items()} == ROUTES


def test_every_error_has_the_one_form() -> None:
    for path, operations in json.loads(document())["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    form = response["content"]["application/json"]["schema"]["$ref"]
                    assert form == "#/components/schemas/ErrorBody", (path, status)


@pytest.fixture(scope="module")
def locked(shared_stack: Stack) -> Settings:
    """Settings of the seeded service with a key, so that schemathesis also checks that it is asked for."""
    given = {**shared_stack.settings.model_dump(), "api_key": KEY, "events_seconds": 0.02}
    return Settings.model_validate(given)


@pytest.fixture(scope="module")
def keyed(locked: Settings, shared_stack: Stack) -> Iterator[TestClient]:
    """The seeded service with a key."""
    with TestClient(build(locked, queue=shared_stack.queue, models=shared_stack.models)) as client:
        yield client


def test_generated_requests_are_answered_as_documented(locked: Settings, shared_stack: Stack) -> None:
    """schemathesis, valid and invalid requests: no 5xx, no status, no type and no body that is not documented."""
    app = build(locked, queue=shared_stack.queue, models=shared_stack.models)  # schemathesis starts and stops it
    schema = schemathesis.openapi.from_asgi("/openapi.json", app)
    operations = [found.ok() for found in schema.get_all_operations()]
    screens = st.sampled_from([shared_stack.first, shared_stack.second, shared_stack.waiting])
    forms = st.sampled_from(["application/json", "text/csv", "image/svg+xml", "image/png", "*/*", "text/nonsense;q=x"])
    valid, broken = schemathesis.GenerationMode.POSITIVE, schemathesis.GenerationMode.NEGATIVE

    @given(data=st.data())
    @settings(
        max_examples=10,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(operation: APIOperation, data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from([valid, broken]))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        if mode is valid and (operation.method == "post" or data.draw(st.booleans())):
            _make_real(case, data.draw(screens), data.draw(screens))
        headers = {"X-API-Key": KEY, "Accept": data.draw(forms)}
        case.call_and_validate(headers=headers, excluded_checks=NOT_CHECKED)

    # One after the other: what is drawn depends on the modules at hand, and no operation may be missed by chance.
    for operation in operations:
        check(operation)
    answered = re.findall(r'requests_total{.*route="(.+?)",status="(\d+)"}', TestClient(app).get("/metrics").text)
    assert {route.replace(":path", "") for route, _ in answered} >= set(ROUTES) - {"/metrics"}
    assert {"200", "202", "404", "409", "422"} <= {status for _, status in answered}


def _make_real(case: schemathesis.Case, screen: str, other: str) -> None:
    """Name what is there, which no generator guesses."""
    if case.operation.path.startswith(SCREEN) and case.method != "DELETE":
        case.path_parameters = {"id": screen, "other": other}
        case.query.pop("version", None)
    elif case.operation.path.startswith("/compounds/"):
        case.path_parameters, case.query = {"id": "X"}, {}
    elif (case.operation.path, case.method) == ("/screens", "POST"):
        case.body = {"images": "plate/Images", "plate_map": "plate/platemap.csv"}


def test_without_the_key_nothing_is_told(keyed: TestClient, shared_stack: Stack) -> None:
    for path in ("/screens", f"/screens/{shared_stack.first}/wells", "/compounds", "/ui/"):
        assert keyed.get(path).status_code == 401, path
        assert keyed.get(path, headers={"X-API-Key": "wrong"}).status_code == 401, path
    assert keyed.get("/health/ready").status_code == 200
    assert keyed.get("/compounds", headers={"X-API-Key": KEY}).status_code == 200
