"""The commands in the documents exist, with the options that they show."""

from __future__ import annotations

import re
import shlex
from functools import cache
from pathlib import Path

import pytest
import typer
from gandl.main import COMMANDS, build

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "models" / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]


def code_lines(page: Path) -> list[str]:
    """Return the lines of the code blocks of a page, with continued lines joined."""
    blocks = re.findall(r"^ *```\w*\n(.*?)^ *```", page.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    return [line.strip() for block in blocks for line in block.replace("\\\n", " ").splitlines()]


def calls(page: Path) -> list[list[str]]:
    """Return the arguments of every call of `gandl` in the code blocks of a page."""
    return [shlex.split(line, comments=True)[1:] for line in code_lines(page) if line.startswith("gandl ")]


@cache
def options(name: str) -> frozenset[str]:
    """Return the options of a command."""
    command = typer.main.get_command(build([name])).commands[name]  # type: ignore[attr-defined]
    return frozenset(option for p in command.params for option in (*p.opts, *p.secondary_opts, "--help"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_command_and_option_of_a_page_exists(page: Path) -> None:
    for name, *arguments in calls(page):
        if name.startswith("-") or name == "COMMAND":
            continue
        assert name in COMMANDS
        for argument in arguments:
            if argument.startswith("--"):
                assert argument.split("=")[0] in options(name), f"gandl {name} {argument}"


def test_the_readme_shows_how_to_begin() -> None:
    names = {name for name, *_ in calls(ROOT / "README.md")}
    assert {"fetch", "screen", "analyse", "train", "export", "up"} <= names


def test_every_target_of_the_readme_is_in_the_makefile() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = {line.split()[1] for line in code_lines(ROOT / "README.md") if line.startswith("make ")}
    assert targets
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
