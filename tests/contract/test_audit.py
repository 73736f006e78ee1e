"""An audit that got no answer is no audit that found nothing."""

from __future__ import annotations

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


@pytest.mark.parametrize(
    "answer", [None, '{"info": {}, "vulnerabilities": []}', "<html>"], ids=["none", "mirror", "page"]
)
def test_without_the_database_it_says_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], answer: str | None
) -> None:
    """A mirror of PyPI knows versions and no weaknesses, so it must not pass for a database that found nothing."""
    file = tmp_path / "answer.json"
    if answer is not None:
        file.write_text(answer)
    monkeypatch.setattr(audit, "WEAK_VERSION", file.as_uri())
    assert audit.main(["pip-audit", "--if-online"]) == 0
    assert "no version was audited" in capsys.readouterr().out


def test_a_tool_that_fails_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert audit.main(["false"]) == 1
    assert "findings" not in capsys.readouterr().out
