"""Write the map of all modules into docs/architecture.md: `python -m checks.module_map docs/architecture.md`.

Each row is a module and the first sentence of its docstring. `--check` returns 1 where the page is out of date.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
from collections.abc import Iterator
from pathlib import Path

from checks.tree import PACKAGES

ROOT = Path(__file__).resolve().parents[1]
BEGIN, END = "<!-- modules: begin -->", "<!-- modules: end -->"


def first_sentence(module: Path) -> str:
    """The first sentence of a module's docstring on one line; empty without a docstring."""
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    paragraph = " ".join(text.split("\n\n")[0].split())
    # The point of "et al." ends no sentence.
    sentence = re.split(r"(?<!et al\.)(?<=\.) ", paragraph, maxsplit=1)[0]
    return sentence.strip().replace("|", "\\|")


def folders(package: Path) -> Iterator[Path]:
    """The package and each folder of modules inside it, in order."""
    yield package
    yield from sorted(path for path in package.rglob("*") if path.is_dir() and (path / "__init__.py").is_file())


def rows_of(folder: Path) -> list[str]:
    """A row per module of the folder, without those that only mark a package."""
    modules = [path for path in sorted(folder.glob("*.py")) if path.stem != "__init__"]
    return [f"| `{path.stem}` | {first_sentence(path)} |" for path in modules]


def module_map() -> str:
    """The map of all packages as Markdown: a heading per package, a table per folder."""
    parts = []
    for package in PACKAGES:
        parts.append(f"### `{Path(package).name}` (`{package}`)")
        for folder in folders(ROOT / package):
            rows = rows_of(folder)
            name = ".".join(folder.relative_to((ROOT / package).parent).parts)
            purpose = first_sentence(folder / "__init__.py")
            table = ["| module | what it does |", "|---|---|", *rows] if rows else []
            parts.append("\n".join([f"**`{name}`** {purpose}", *([""] if table else []), *table]))
    return "\n\n".join(parts)


def main() -> int:
    """Write the map between its marks, or check that the committed one shows the modules as they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    page = options.page.read_text(encoding="utf-8")
    before, after = page.split(BEGIN)[0], page.split(END)[1]
    fresh = f"{before}{BEGIN}\n{module_map()}\n{END}{after}"
    if not options.check:
        options.page.write_text(fresh, encoding="utf-8")
        return 0
    print("the map of the modules is current" if page == fresh else f"{options.page} is out of date: run `make docs`")
    return 0 if page == fresh else 1


if __name__ == "__main__":
    sys.exit(main())
