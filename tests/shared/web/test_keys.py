"""A key is demanded where there is one."""

from __future__ import annotations

from tests.shared.web.parts import make_client, make_part


def test_only_the_key_itself_is_accepted() -> None:
    client = make_client(make_part(key="s3cret"))
    without = client.get("/fail/full")
    assert (without.status_code, without.headers["WWW-Authenticate"]) == (401, 'ApiKey header="X-API-Key"')
    assert client.get("/fail/full", headers={"X-API-Key": "other"}).status_code == 401
    assert client.get("/fail/full", headers={"X-API-Key": "s3cret"}).status_code == 429


def test_health_needs_no_key_and_nothing_does_without_one() -> None:
    assert make_client(make_part(key="s3cret")).get("/health/live").status_code == 200
    assert make_client(make_part()).get("/fail/full").status_code == 429
