"""Print the share of full-line comments per package: `python -m checks.comments`. Nothing fails on it.

A comment says why a step is done. Two to four lines of a hundred is what well-explained numerical packages have.
"""

from __future__ import annotations

from pathlib import Path

from checks.tree import PACKAGES


def comment_share(folder: Path) -> tuple[int, int]:
    """The full-line comments and all lines of the Python files below `folder`."""
    lines = [line.strip() for path in folder.rglob("*.py") for line in path.read_text(encoding="utf-8").splitlines()]
    return sum(line.startswith("#") for line in lines), len(lines)


def main() -> None:
    """Print a line per package and one for all of them."""
    root = Path(__file__).resolve().parents[1]
    counts = {package: comment_share(root / package) for package in PACKAGES}
    counts["all packages"] = tuple(map(sum, zip(*counts.values(), strict=True)))  # type: ignore[assignment]
    for package, (comments, lines) in counts.items():
        print(f"{100 * comments / max(lines, 1):4.1f} %  {comments:4d} of {lines:6d} lines  {package}")


if __name__ == "__main__":
    main()
