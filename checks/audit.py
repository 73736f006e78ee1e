"""Ask for known weaknesses of every pinned version: `python -m checks.audit PIP_AUDIT [--if-online]`.

A version about which there is no answer counts as a failure, because pip-audit only skips it. With `--if-online` a
machine that does not reach the database says so and passes.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

WEAK_VERSION = "https://pypi.org/pypi/jinja2/2.4.1/json"
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


def is_online() -> bool:
    """Return whether the database can be asked: it must know a weakness that is there. A mirror of PyPI answers too,
    but it has no weaknesses, or no answers about single versions."""
    try:
        with urllib.request.urlopen(WEAK_VERSION, timeout=10) as answer:
            return bool(json.load(answer).get("vulnerabilities"))
    except (OSError, ValueError):
        return False


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; return 1 for weaknesses and for versions without an answer."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pip_audit", help="path of the program")
    parser.add_argument("--if-online", action="store_true")
    options = parser.parse_args(arguments)
    if options.if_online and not is_online():
        print("left out: the database of weaknesses cannot be reached, so no version was audited")
        return 0
    command = [options.pip_audit, "--no-deps", "--disable-pip", "--format", "json", "--requirement", str(CONSTRAINTS)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if not result.stdout.strip():
        print(result.stderr, file=sys.stderr)
        return 1
    report = json.loads(result.stdout)
    lines = findings(report)
    print("\n".join([*lines, f"{len(report['dependencies'])} versions asked for, {len(lines)} findings"]))
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
