"""Refuse folders that are too wide and modules without a test file of their own.

`python -m checks.tree` holds two rules. No folder of source code, tests or benchmarks has more than twelve siblings
(modules and folders), so that a reader finds a door by its name. At least nine of ten modules have a mirrored test
file: `services/analysis/src/gandl_analysis/pipeline/tiles.py` is tested by
`tests/analysis/pipeline/test_tiles.py`.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

MAX_SIBLINGS = 12
"""Modules and folders are counted together; in `tests`, whose folders also hold fixtures, each kind by itself."""
MIN_MIRRORED = 0.9
PACKAGES = {
    "shared/src/gandl_shared": "shared",
    "science/src/gandl_science": "science",
    "training/src/gandl_training": "training",
    "services/embedding/src/gandl_embedding": "embedding",
    "services/worker/src/gandl_worker": "worker",
    "services/analysis/src/gandl_analysis": "analysis",
    "services/cli/src/gandl": "cli",
}
"""Each package and the folder of `tests/` that mirrors it."""
_GENERATED = "migrations"


def siblings(folder: Path, root: Path) -> int:
    """Count the modules and the folders of modules in `folder`, without `__init__` and `conftest`."""
    modules = sum(path.stem not in ("__init__", "conftest") for path in folder.glob("*.py"))
    folders = sum(path.is_dir() and any(path.rglob("*.py")) for path in folder.iterdir())
    return max(modules, folders) if folder.is_relative_to(root / "tests") else modules + folders


def wide_folders(root: Path) -> Iterator[str]:
    """Yield a line for each folder below `root` with more than MAX_SIBLINGS siblings."""
    for top in (*PACKAGES, "benchmarks", "tests", "checks"):
        for folder in (root / top, *(path for path in sorted((root / top).rglob("*")) if path.is_dir())):
            count = siblings(folder, root)
            if count > MAX_SIBLINGS:
                yield f"{folder.relative_to(root)} has {count} siblings, at most {MAX_SIBLINGS} are allowed"


def modules_with_tests(root: Path) -> dict[Path, Path]:
    """Map each module to the test file that mirrors it, whether or not that file exists."""
    pairs = {}
    for package, part in PACKAGES.items():
        for module in sorted((root / package).rglob("*.py")):
            inside = module.relative_to(root / package)
            if not module.stem.startswith("__") and _GENERATED not in inside.parts:
                pairs[module] = root / "tests" / part / inside.with_name(f"test_{module.name}")
    return pairs


def main() -> int:
    """Print both measures, each breach on a line of its own; return 1 if a rule is broken."""
    root = Path(__file__).resolve().parents[1]
    wide = list(wide_folders(root))
    pairs = modules_with_tests(root)
    bare = [module for module, test in pairs.items() if not test.is_file()]
    share = 1 - len(bare) / len(pairs)
    for line in (*wide, *(f"{module.relative_to(root)} has no mirrored test" for module in bare)):
        print(line)
    print(f"{100 * share:.0f} % of {len(pairs)} modules have a mirrored test; {len(wide)} folders are too wide")
    return 1 if wide or share < MIN_MIRRORED else 0


if __name__ == "__main__":
    sys.exit(main())
