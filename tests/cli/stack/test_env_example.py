"""`.env.example` and the compose files have the settings of the code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from gandl.stack.env_example import FIXED, PARTS, render, variables

COMPOSE_FILES = tuple(f"docker-compose{part}.yml" for part in ("", ".gpu", ".otel", ".s3"))
SERVICES = {0: ("embedding",), 1: ("worker",), 2: ("analysis", "analysis-worker")}


@pytest.fixture(scope="module")
def compose(repository: Path) -> dict[str, Any]:
    loaded = yaml.safe_load((repository / "docker-compose.yml").read_text())
    assert isinstance(loaded, dict)
    return loaded


def test_env_example_is_what_the_settings_say(repository: Path) -> None:
    assert (repository / ".env.example").read_text() == render(), "run `make openapi`"


@pytest.mark.parametrize("part", range(len(PARTS)), ids=[title for title, _ in PARTS])
def test_compose_passes_every_setting_on(compose: dict[str, Any], part: int) -> None:
    for service in SERVICES[part]:
        environment = compose["services"][service]["environment"]
        for variable, name in variables(PARTS[part][1]).items():
            if name in FIXED:
                # Fixed there or left at its default, but never left to a stray variable of the user's shell.
                assert "${" + variable not in str(environment.get(variable, ""))
            else:
                assert environment[variable] == f"${{{variable}:-}}", service


def test_every_variable_of_the_compose_files_is_explained(repository: Path) -> None:
    explained = set(re.findall(r"^# ([A-Z_]+)=", (repository / ".env.example").read_text(), re.MULTILINE))
    for name in COMPOSE_FILES:
        used = set(re.findall(r"\$\{([A-Z_]+)", (repository / name).read_text()))
        assert used <= explained, name


def test_defaults_in_env_example_are_those_of_the_compose_files(repository: Path) -> None:
    example = (repository / ".env.example").read_text()
    for name in COMPOSE_FILES:
        for variable, default in re.findall(r"\$\{([A-Z_]+):-([^}]+)\}", (repository / name).read_text()):
            assert f"# {variable}={default}\n" in example, variable


def test_no_service_runs_as_root(repository: Path) -> None:
    for name in ("Dockerfile", "Dockerfile.gpu"):
        users = re.findall(r"^USER (\w+)$", (repository / name).read_text(), re.MULTILINE)
        assert users == ["gandl"], name
