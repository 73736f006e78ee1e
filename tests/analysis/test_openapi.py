"""The committed OpenAPI document is the service's, and the service keeps to it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import schemathesis
from fastapi.testclient import TestClient
from gandl_analysis.app import build
from gandl_analysis.openapi import document
from gandl_analysis.settings import Settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from tests.analysis.service.stack import Stack
from tests.shared.web import openapi_harness as harness

KEY = "s3cret"
SCREEN = "/screens/{id}"
NOT_CHECKED = [positive_data_acceptance, negative_data_rejection]
"""No schema can say which ids exist, so a request that fits the document may be refused; and what one route refuses as
too long an id, another answers as an unknown one."""
FORMS = ["application/json", "text/csv", "image/svg+xml", "image/png", "*/*", "text/nonsense;q=x"]
ROUTES = {
    "/analyses": {"post"},
    "/screens": {"get", "post"},
    SCREEN: {"get", "delete"},
    f"{SCREEN}/cancel": {"post"},
    f"{SCREEN}/retry": {"post"},
    f"{SCREEN}/analyses": {"get", "post"},
    f"{SCREEN}/decisions": {"get", "post"},
    f"{SCREEN}/events": {"get"},
    f"{SCREEN}/compare/{{other}}": {"get"},
    f"{SCREEN}/quality": {"get"},
    f"{SCREEN}/wells": {"get"},
    f"{SCREEN}/sites": {"get"},
    f"{SCREEN}/features": {"get"},
    f"{SCREEN}/axes": {"get"},
    f"{SCREEN}/hits": {"get"},
    f"{SCREEN}/report": {"get"},
    f"{SCREEN}/images/{{plate}}/{{well}}/{{site}}": {"get"},
    f"{SCREEN}/thumbnails/{{plate}}/{{well}}/{{site}}": {"get"},
    f"{SCREEN}/sprites/{{plate}}": {"get"},
    f"{SCREEN}/exports": {"get"},
    f"{SCREEN}/exports/{{name}}": {"get"},
    "/compounds": {"get"},
    "/compounds/{id}/dose-response": {"get"},
    "/health/live": {"get"},
    "/health/ready": {"get"},
    "/metrics": {"get"},
}


def test_the_committed_document_is_the_generated_one(repository: Path) -> None:
    harness.assert_committed(repository, "analysis", document())


def test_the_routes_are_those_of_the_design() -> None:
    assert harness.routes(document()) == ROUTES


def test_every_error_has_the_one_form() -> None:
    harness.assert_one_form_of_errors(document())


def test_no_route_ignores_a_misspelt_parameter(shared_stack: Stack) -> None:
    harness.assert_unknown_parameters_are_refused(document(), shared_stack.client, {})


@pytest.fixture(scope="module")
def locked(shared_stack: Stack) -> Settings:
    """Settings of the seeded service with a key, so that schemathesis also checks that it is demanded."""
    fields = {**shared_stack.settings.model_dump(), "api_key": KEY, "events_seconds": 0.02}
    return Settings.model_validate(fields)


@pytest.fixture(scope="module")
def keyed(locked: Settings, shared_stack: Stack) -> Iterator[TestClient]:
    """The seeded service with a key."""
    with TestClient(build(locked, queue=shared_stack.queue, models=shared_stack.models)) as client:
        yield client


def test_generated_requests_are_answered_as_documented(locked: Settings, shared_stack: Stack) -> None:
    app = build(locked, queue=shared_stack.queue, models=shared_stack.models)  # schemathesis starts and stops it
    screens = st.sampled_from([shared_stack.first, shared_stack.second, shared_stack.waiting])

    def prepare(case: Case, mode: GenerationMode, data: st.DataObject) -> None:
        if mode is GenerationMode.POSITIVE and (case.method == "POST" or data.draw(st.booleans())):
            _name_existing(case, data.draw(screens), data.draw(screens))

    harness.call_with_generated_requests(
        schemathesis.openapi.from_asgi("/openapi.json", app),
        prepare,
        examples=lambda operation: 6,
        excluded_checks=NOT_CHECKED,
        headers=st.builds(lambda form: {"X-API-Key": KEY, "Accept": form}, st.sampled_from(FORMS)),
    )
    answered = re.findall(r'requests_total{.*route="(.+?)",status="(\d+)"}', TestClient(app).get("/metrics").text)
    assert {route.replace(":path", "") for route, _ in answered} >= set(ROUTES) - {"/metrics"}
    assert {"200", "202", "404", "409", "422"} <= {status for _, status in answered}


def _name_existing(case: Case, screen: str, other: str) -> None:
    """Name what exists, which no generator guesses."""
    if case.operation.path.startswith(SCREEN) and case.method != "DELETE":
        wish = {"plate": "P1", "well": "A01", "site": "1", "name": "prism.csv"}
        case.path_parameters = {"id": screen, "other": other, **wish}
        case.query.pop("version", None)
    elif case.operation.path.startswith("/compounds/"):
        case.path_parameters, case.query = {"id": "X"}, {}
    elif (case.operation.path, case.method) == ("/screens", "POST"):
        case.body = {"images": "plate/Images", "plate_map": "plate/platemap.csv"}


def test_without_the_key_nothing_is_answered(keyed: TestClient, shared_stack: Stack) -> None:
    for path in ("/screens", f"/screens/{shared_stack.first}/wells", "/compounds"):
        assert keyed.get(path).status_code == 401, path
        assert keyed.get(path, headers={"X-API-Key": "wrong"}).status_code == 401, path
    # A page leads to the one that takes the key.
    for headers in ({}, {"X-API-Key": "wrong"}):
        answer = keyed.get("/ui/", headers=headers, follow_redirects=False)
        assert (answer.status_code, answer.headers["location"]) == (303, "/ui/sign-in?next=%2Fui%2F")
    assert keyed.get("/health/ready").status_code == 200
    assert keyed.get("/compounds", headers={"X-API-Key": KEY}).status_code == 200
