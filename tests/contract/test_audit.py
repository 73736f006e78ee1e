"""An audit that got no answer is no audit that found nothing."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from checks import audit


def test_weaknesses_and_missing_answers_are_findings() -> None:
    report = {
        "dependencies": [
            {"name": "good", "version": "1.0", "vulns": []},
            {"name": "weak", "version": "2.0", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2.1"]}]},
            {"name": "absent", "skip_reason": "not in the index"},
        ]
    }
    assert audit.findings(report) == [
        "weak 2.0: PYSEC-1, mended in 2.1",
        "absent: no answer (not in the index)",
    ]


SKIP = '{"dependencies": [{"name": "x", "skip_reason": "not in the index"}]}'
CLEAN = '{"dependencies": [{"name": "x", "version": "1", "vulns": []}]}'
WEAK = '{"dependencies": [{"name": "x", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": []}]}]}'


def tool(folder: Path, answer: str) -> str:
    """A pip-audit that always gives this answer."""
    file = folder / "pip-audit"
    file.write_text(f"#!/bin/sh\necho '{answer}'\n")
    file.chmod(0o755)
    return str(file)


@pytest.mark.parametrize("answer", ["", SKIP, CLEAN], ids=["none", "skip", "mirror without weaknesses"])
def test_without_the_database_it_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str], answer: str) -> None:
    """A mirror of the index knows versions and no weaknesses: it must not pass for a database that found nothing."""
    assert audit.main([tool(tmp_path, answer), "--if-online"]) == 0
    assert "no version was audited" in capsys.readouterr().out


def test_with_the_database_a_weakness_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main([tool(tmp_path, WEAK), "--if-online"]) == 1
    assert "x 1: PYSEC-1, mended in no version yet" in capsys.readouterr().out


def test_a_tool_that_fails_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["false"]) == 1
    assert "findings" not in capsys.readouterr().out
    with pytest.raises(subprocess.CalledProcessError):
        audit.main(["false", "--if-online"])
