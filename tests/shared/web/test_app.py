"""One application of one part or of several."""

from __future__ import annotations

from tests.shared.web.parts import make_client, make_part


def test_parts_start_in_order_and_stop_in_reverse() -> None:
    log: list[str] = []
    with make_client(make_part("one", log=log), make_part("two", log=log)) as client:
        assert client.get("/health/live").json() == {"status": "live", "parts": {"one": "live", "two": "live"}}
        assert log == ["one starts", "two starts"]
    assert log[2:] == ["two stops", "one stops"]


def test_the_documentation_is_served() -> None:
    with make_client() as client:
        assert client.get("/docs").status_code == 200
        assert set(client.get("/openapi.json").json()["paths"]) == {
            "/fail/{kind}", "/limits", "/colours", "/health/live", "/health/ready", "/metrics"
        }  # fmt: skip
