"""The compose file has the limits, rights and secrets that a platform asks for."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

REPOSITORY = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((REPOSITORY / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
MAY_BECOME_ANOTHER_USER = {"valkey", "postgres"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_limits_and_no_rights_that_it_does_not_need(name: str) -> None:
    service = SERVICES[name]
    assert {"mem_limit", "cpus", "pids_limit"} <= service.keys()
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert ("cap_add" in service) == (name in MAY_BECOME_ANOTHER_USER)
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    assert service["restart"] == "unless-stopped"
    assert service["init"] is True
    assert service["healthcheck"]["test"]
    assert any(each.startswith("/tmp") for each in service["tmpfs"])


def test_only_the_gateway_is_reached_from_outside() -> None:
    assert COMPOSE["networks"] == {"front": None, "back": {"internal": True}}
    for name, service in SERVICES.items():
        assert ("ports" in service) == (name == "gateway")
        assert service["networks"] == (["front", "back"] if name == "gateway" else ["back"])


def test_batches_are_measured_once_and_kept_in_a_volume() -> None:
    service = SERVICES["embedding"]
    folder = service["environment"]["GANDL_EMBEDDING_BATCHES_DIR"]
    assert f"batches:{folder}" in service["volumes"] and "batches" in COMPOSE["volumes"]
    # A new volume belongs to whom the folder of the image belongs to.
    for name in ("Dockerfile", "Dockerfile.gpu"):
        assert f"mkdir -p {folder} && chown gandl {folder}" in (REPOSITORY / name).read_text()


def test_fonts_are_listed_in_the_image_and_kept_in_a_volume() -> None:
    image = (REPOSITORY / "Dockerfile").read_text()
    folder = image.split("MPLCONFIGDIR=")[1].split()[0]
    assert "fonts" in COMPOSE["volumes"]
    for name in ("analysis", "analysis-worker"):
        assert f"fonts:{folder}" in SERVICES[name]["volumes"]
        assert "MPLCONFIGDIR" not in SERVICES[name]["environment"]
    assert f"mkdir -p {folder} && chown gandl {folder}" in image
    assert "python -c 'import matplotlib.font_manager'" in image


def test_in_s3_only_the_store_the_images_and_the_way_out_change() -> None:
    overlay = yaml.safe_load((REPOSITORY / "docker-compose.s3.yml").read_text())
    assert overlay["networks"] == {"back": {"internal": False}}
    for name, service in overlay["services"].items():
        assert service.keys() == {"environment", "secrets"}
        variables = {key for key in service["environment"] if key.startswith("GANDL_")}
        assert variables < SERVICES[name]["environment"].keys()
        assert not any("SECRET" in key for key in service["environment"]), "credentials are a file"


def test_passwords_are_files_without_a_default() -> None:
    text = (REPOSITORY / "docker-compose.yml").read_text()
    assert not any(word in text for word in ("PASSWORD:-", "_KEY:-"))
    line = next(line for line in (REPOSITORY / "Makefile").read_text().splitlines() if line.startswith("SECRETS :="))
    assert set(line.split()[2:]) == set(COMPOSE["secrets"])
    for file in (".gitignore", ".dockerignore"):
        assert "secrets" in (REPOSITORY / file).read_text()
    for name, service in SERVICES.items():
        for secret in service.get("secrets", ()):
            assert (secret if isinstance(secret, str) else secret["source"]) in COMPOSE["secrets"], name
