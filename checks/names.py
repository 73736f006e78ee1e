"""Refuse names that say nothing of what they hold: participles and pronouns such as `found`, `told` or `mine`.

`python -m checks.names` prints each such name of our Python files with its place and exits with 1 if there is one.
A name should be a noun of the field or, for a function, a verb.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

ROOTS = ("shared", "science", "training", "services", "benchmarks", "checks", "examples", "tests")
FORBIDDEN = frozenset(
    """
    asked built chosen drawn found given gone got held here judged kept known laid lie lies lying made meant mine
    missed needed place placed put said seen sent served shown stands stood taken told tried wanted written
    """.split()  # noqa: SIM905 - a table of words reads better than 40 quoted strings
)


def bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Each name that a module binds, with its line: variables, fields, arguments, functions, classes and aliases."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name, node.lineno
            case ast.arg(arg=name):
                yield name, node.lineno
            case ast.alias(asname=str(name)):
                yield name, node.lineno


def is_forbidden(name: str) -> bool:
    """True for a name that is a forbidden word by itself, in any case and with underscores around it."""
    return name.strip("_").lower() in FORBIDDEN


def python_files(root: Path) -> Iterator[Path]:
    """Our Python files below the root of the checkout, in order."""
    for folder in ROOTS:
        yield from sorted((root / folder).rglob("*.py"))


def main() -> int:
    """Print what is forbidden, and how many names were read."""
    root = Path(__file__).resolve().parents[1]
    count, problems = 0, []
    for path in python_files(root):
        where = path.relative_to(root)
        if is_forbidden(path.stem.removeprefix("test_")):
            problems.append(f"{where}: the module is named '{path.stem}'")
        for name, line in bound_names(ast.parse(path.read_text(encoding="utf-8"))):
            count += 1
            if is_forbidden(name):
                problems.append(f"{where}:{line}: '{name}' says nothing of what it holds")
    print("\n".join([*problems, f"{len(problems)} of {count} bound names are participles or pronouns"]))
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
