"""The rows of the table in docs/faults.md, from a clock: `python -m tests.faults.record docs/faults.md`.

While the variable GANDL_FAULTS names a file, each test of a fault adds a line to it, and this command makes the table.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.tables import row, write_between

VARIABLE = "GANDL_FAULTS"


@dataclass(frozen=True, kw_only=True)
class Recovery:
    """A fault, the seconds from its end to the next progress, what a user saw meanwhile, and what was compared."""

    fault: str
    seconds: float
    messages: str
    result: str


def record(recovery: Recovery) -> None:
    """Add a line to the file, if there is one."""
    if file := os.environ.get(VARIABLE):
        with Path(file).open("a") as lines:
            lines.write(json.dumps(asdict(recovery)) + "\n")


def table(recoveries: list[Recovery]) -> str:
    """Return the table in Markdown, in the order of the faults' names."""
    lines = [row("fault", "recovery, s", "what the user saw", "results"), "|---|---|---|---|"]
    for each in sorted(recoveries, key=lambda recovery: recovery.fault):
        lines.append(row(each.fault, f"{each.seconds:.1f}", each.messages.replace("|", "/") or "nothing", each.result))
    return "\n".join(lines)


def main() -> None:
    """Write the table into a page."""
    lines = Path(os.environ[VARIABLE]).read_text().splitlines()
    write_between(Path(sys.argv[1]), "recovery", table([Recovery(**json.loads(line)) for line in lines]))


if __name__ == "__main__":
    main()
