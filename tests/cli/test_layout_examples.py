"""The examples of docs/layouts.md are what `gandl inspect` prints."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.cli.command_line import Gandl

EXAMPLE = re.compile(r"^```\n\$ gandl inspect (.+)\n([^`]*)```$", re.MULTILINE)


def test_the_examples_of_the_page_are_the_output(
    repository: Path, vendor_layouts: Path, monkeypatch: pytest.MonkeyPatch, gandl: Gandl
) -> None:
    page = (repository / "docs/layouts.md").read_text(encoding="utf-8")
    examples = EXAMPLE.findall(page)
    assert len(examples) == 7
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(vendor_layouts)
    for arguments, text in examples:
        output = gandl("inspect", *arguments.split()).out
        assert "\n".join(line.rstrip() for line in output.splitlines()) == text.rstrip("\n"), arguments
