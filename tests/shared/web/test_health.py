"""Ready only if every part is."""

from __future__ import annotations

from tests.shared.web.parts import make_client, make_part


def test_ready_needs_every_part() -> None:
    reasons: list[str | None] = ["still warming up"]
    client = make_client(make_part("one"), make_part("two", ready=lambda: reasons[-1]))
    waiting = client.get("/health/ready")
    assert (waiting.status_code, waiting.json()["detail"]) == (503, "not ready: two: still warming up")
    assert waiting.headers["Retry-After"] == "1"
    assert client.get("/health/live").json()["status"] == "live"
    reasons.append(None)
    assert client.get("/health/ready").json() == {"status": "ready", "parts": {"one": "ready", "two": "ready"}}
