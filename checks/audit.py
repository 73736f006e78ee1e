"""Ask for known weaknesses of every pinned version: `python -m checks.audit PIP_AUDIT [--if-online]`.

A version about which there is no answer counts as a failure, because pip-audit only skips it. With `--if-online` a
machine that does not reach the database says so and passes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WEAK_VERSION = "jinja2==2.4.1"
"""A version whose weaknesses are known since 2014: the positive control of the database."""
CONSTRAINTS = Path(__file__).resolve().parents[1] / "constraints.txt"


def findings(report: Mapping[str, Any]) -> list[str]:  # Any: the values of JSON
    """Return a line for each weakness and for each version without an answer."""
    lines = []
    for package in report["dependencies"]:
        name = f"{package['name']} {package.get('version', '')}".strip()
        if "skip_reason" in package:
            lines.append(f"{name}: no answer ({package['skip_reason']})")
        for weakness in package.get("vulns", ()):
            fixes = ", ".join(weakness["fix_versions"]) or "no version yet"
            lines.append(f"{name}: {weakness['id']}, mended in {fixes}")
    return lines


def audit_report(pip_audit: str, requirements: Path) -> Mapping[str, Any] | None:
    """Return what pip-audit says of pinned versions, or None if it says nothing, with its reason on standard error."""
    command = [pip_audit, "--no-deps", "--disable-pip", "--format", "json", "--requirement", str(requirements)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.stdout.strip():
        report: Mapping[str, Any] = json.loads(result.stdout)
        return report
    print(result.stderr, file=sys.stderr)
    return None


def knows_weaknesses(pip_audit: str) -> bool:
    """Return whether the database can be asked: it must know a weakness that is there. A mirror of the index answers
    too, but it has no weaknesses, or no answers about single versions. Raises CalledProcessError if the tool is broken.
    """
    subprocess.run([pip_audit, "--version"], check=True, capture_output=True)
    with tempfile.TemporaryDirectory() as folder:
        requirements = Path(folder) / "requirements.txt"
        requirements.write_text(f"{WEAK_VERSION}\n")
        report = audit_report(pip_audit, requirements)
    return report is not None and any(package.get("vulns") for package in report["dependencies"])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; return 1 for weaknesses and for versions without an answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pip_audit", help="path of the program")
    parser.add_argument("--if-online", action="store_true")
    options = parser.parse_args(arguments)
    if options.if_online and not knows_weaknesses(options.pip_audit):
        print("left out: the database of weaknesses cannot be reached, so no version was audited")
        return 0
    report = audit_report(options.pip_audit, CONSTRAINTS)
    if report is None:
        return 1
    lines = findings(report)
    print("\n".join([*lines, f"{len(report['dependencies'])} versions asked for, {len(lines)} findings"]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
