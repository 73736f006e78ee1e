"""The application: what it is before its start, while it runs and after its end."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from gandl_analysis.app import AnalysisService, build, part
from gandl_analysis.settings import Settings
from gandl_shared.db import Database
from gandl_shared.errors import Unavailable
from pydantic import ValidationError

from tests.analysis.service.stack import FakeModels, SilentQueue


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(database_url=f"sqlite:///{tmp_path / 'g.db'}", store=str(tmp_path / "store"), image_root=tmp_path)


def test_services_are_open_only_while_it_runs(settings: Settings) -> None:
    service = AnalysisService(settings, SilentQueue(), FakeModels())
    assert service.ready() == "starting"
    with pytest.raises(Unavailable, match="starting or stopping"):
        service.services()
    app = build(settings, queue=SilentQueue(), models=FakeModels())
    assert TestClient(app).get("/screens").status_code == 503
    with TestClient(app) as client:
        assert client.get("/health/ready").json()["parts"] == {"analysis": "ready"}
        assert client.get("/screens").json()["total"] == 0
    assert TestClient(app).get("/screens").status_code == 503


def test_a_database_that_fails_is_not_ready(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    with TestClient(build(settings, queue=SilentQueue(), models=FakeModels())) as client:
        assert client.get("/health/ready").status_code == 200
        monkeypatch.setattr(Database, "trouble", lambda _: "the database does not answer")
        answer = client.get("/health/ready")
    assert (answer.status_code, answer.json()["detail"]) == (503, "not ready: analysis: the database does not answer")


def test_the_part_has_its_name(settings: Settings) -> None:
    assert part(settings, queue=SilentQueue(), models=FakeModels()).name == "analysis"


@pytest.mark.parametrize("prefix", ["", "/lab/gandl"], ids=["proxy cuts it off", "proxy passes it on"])
def test_below_the_path_of_a_proxy_every_address_begins_with_it(settings: Settings, prefix: str) -> None:
    behind = settings.model_copy(update={"root_path": "/lab/gandl"})
    with TestClient(build(behind, queue=SilentQueue(), models=FakeModels())) as client:
        answer = client.get(f"{prefix}/", follow_redirects=False)
        assert answer.headers["location"] == "/lab/gandl/ui/"
        page = client.get(f"{prefix}/ui/").text
        addresses = re.findall(r'(?:href|src)="([^"#]+)"', page)
        assert {address for address in addresses if not address.startswith(("/lab/gandl/", "data:"))} == set()
        style = next(address for address in addresses if address.endswith("gandl.css"))
        assert client.get(style.removeprefix("/lab/gandl") if not prefix else style).status_code == 200


@pytest.mark.parametrize("path", ["gandl", "//evil.example/<script>", "/a b"])
def test_a_path_of_a_proxy_that_is_no_path_is_refused(path: str) -> None:
    with pytest.raises(ValidationError, match="root_path"):
        Settings(root_path=path)
