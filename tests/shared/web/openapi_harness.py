"""What the specification of every service must hold, and generated requests that check that a service keeps to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path

from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import APIOperation, BaseSchema, Case, GenerationMode

Prepare = Callable[[Case, GenerationMode, st.DataObject], None]
"""Changes a generated request, for example so that it names what exists, which no generator guesses."""


def assert_committed(repository: Path, name: str, document: str) -> None:
    """Assert that the committed specification is the generated one."""
    assert (repository / "openapi" / f"{name}.json").read_text() == document, "run `make openapi`"


def routes(document: str) -> dict[str, set[str]]:
    """Return the methods of each path."""
    return {path: set(operations) for path, operations in json.loads(document)["paths"].items()}


def assert_one_form_of_errors(document: str) -> None:
    """Assert that every documented error is an ErrorBody."""
    for path, operations in json.loads(document)["paths"].items():
        for operation in operations.values():
            for status, response in operation["responses"].items():
                if status >= "400":
                    form = response["content"]["application/json"]["schema"]["$ref"]
                    assert form == "#/components/schemas/ErrorBody", (path, status)


def assert_unknown_parameters_are_refused(document: str, client: TestClient, headers: Mapping[str, str]) -> None:
    """Assert that no route ignores a query parameter that it does not have."""
    for path, operations in json.loads(document)["paths"].items():
        for method in operations:
            address = path.replace("{", "").replace("}", "")
            answer = client.request(method.upper(), f"{address}?no_such_parameter=1", headers=headers)
            assert answer.status_code == 422, (method, path, answer.text)
            fields = [problem["field"] for problem in answer.json()["problems"]]
            assert "query.no_such_parameter" in fields, (method, path)


def call_with_generated_requests(
    schema: BaseSchema,
    prepare: Prepare,
    *,
    examples: Callable[[APIOperation], int],
    excluded_checks: list[Callable[..., object]],
    headers: st.SearchStrategy[dict[str, str]],
    session: TestClient | None = None,
) -> None:
    """Send valid and invalid requests to each operation: no 5xx, no status, type or body that is not documented.

    The operations are called one after the other, so that none is missed by chance.
    """
    for operation in [result.ok() for result in schema.get_all_operations()]:
        _call(operation, prepare, examples(operation), excluded_checks, headers, session)


def _call(
    operation: APIOperation,
    prepare: Prepare,
    max_examples: int,
    excluded_checks: list[Callable[..., object]],
    headers: st.SearchStrategy[dict[str, str]],
    session: TestClient | None,
) -> None:
    modes = [GenerationMode.POSITIVE, GenerationMode.NEGATIVE]

    @given(data=st.data())
    @settings(
        max_examples=max_examples,
        deadline=None,
        derandomize=True,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def check(data: st.DataObject) -> None:
        mode = data.draw(st.sampled_from(modes))
        case = data.draw(operation.as_strategy(generation_mode=mode))
        prepare(case, mode, data)
        case.call_and_validate(headers=data.draw(headers), excluded_checks=excluded_checks, session=session)

    check()
