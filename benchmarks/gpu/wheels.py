"""Collect wheels for a GPU machine without a network (Python 3.12 with torch and its usual companions).

    python -m benchmarks.gpu.wheels --out runs/wheels

The wheels lie in folders part-1, part-2 … of at most 60 MB each, so that they can travel one by one. There,
`pip install --no-index --no-deps --target SITE part-*/*.whl` installs them, and PYTHONPATH=SITE uses them. Wheels that
are larger than a part, such as that of onnxruntime-gpu, are named and left out.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEMBERS = (
    "shared",
    "science",
    "training",
    "services/embedding",
    "services/worker",
    "services/analysis",
    "services/cli",
)
PIP = (sys.executable, "-m", "pip")
PART_BYTES = 60_000_000
PACKAGES = (
    "pydantic", "pydantic-core", "annotated-types", "typing-inspection", "typing-extensions", "pydantic-settings",
    "python-dotenv", "tifffile", "imagecodecs", "fastapi", "starlette", "uvicorn", "opentelemetry-api", "sqlalchemy",
    "alembic", "mako", "httptools", "threadpoolctl", "python-multipart", "orjson",
    "google-re2", "fastapi-offline", "openpyxl", "et-xmlfile",
)  # fmt: skip
"""What was absent or too old on such a machine; each in the version that is installed here."""
PLATFORMS = ("manylinux_2_28_x86_64", "manylinux_2_27_x86_64", "manylinux_2_17_x86_64", "manylinux2014_x86_64")
TARGET = ("--python-version", "3.12", "--implementation", "cp")


def main() -> None:
    """Download the wheels and share them out."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("runs/wheels"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for package in PACKAGES:
            download(package, Path(folder))
        # The services look up the version of their own packages, which a checkout alone does not tell.
        own = [str(ROOT / member) for member in MEMBERS]
        subprocess.run([*PIP, "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, *own], check=True)
        share_out(sorted(Path(folder).glob("*.whl")), options.out)


def download(package: str, folder: Path) -> None:
    """Download the wheel of one package, in the version of this environment if it has one."""
    try:
        requirement = f"{package}=={version(package)}"
    except ModuleNotFoundError:
        print(f"{package} is not installed here and is left out")
        return
    platforms = [argument for platform in PLATFORMS for argument in ("--platform", platform)]
    command = [*PIP, "download", "--quiet", "--no-deps", "--only-binary=:all:", *TARGET, *platforms]
    subprocess.run([*command, "--dest", str(folder), requirement], check=True)


def share_out(wheels: list[Path], out: Path) -> None:
    """Move the wheels into folders of at most `PART_BYTES`."""
    part, size = 1, 0
    for wheel in wheels:
        wheel_bytes = wheel.stat().st_size
        if wheel_bytes > PART_BYTES:
            print(f"{wheel.name} has {wheel_bytes / 1e6:.0f} MB and is left out")
            continue
        if size + wheel_bytes > PART_BYTES:
            part, size = part + 1, 0
        size += wheel_bytes
        folder = out / f"part-{part}"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / wheel.name).write_bytes(wheel.read_bytes())
    print(f"{part} folders in {out}")


if __name__ == "__main__":
    main()
