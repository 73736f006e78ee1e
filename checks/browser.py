"""Install a Chromium for the browser tests where there is none: `python -m checks.browser`.

As root on Debian it comes from Debian's package `chromium`, elsewhere from Playwright's own download.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import sync_playwright


def find_chromium() -> str | None:
    """The path of a Chromium that the tests can start: the system's, or the one that Playwright has downloaded."""
    system = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if system is not None:
        return system
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).is_file() else None


def install() -> None:
    """Install one. Raises CalledProcessError where the package manager or the download fails."""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=True, env=quiet)
        command = ["apt-get", "install", "-y", "-qq", "--no-install-recommends", "chromium"]
        subprocess.run(command, check=True, env=quiet, stdout=subprocess.DEVNULL)
        return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=True)


def main() -> int:
    """Print which Chromium the tests will use; return 1 if there is still none after the installation."""
    if find_chromium() is None:
        print("installing Chromium for the browser tests ...")
        install()
    path = find_chromium()
    print(f"the browser tests use {path}" if path else "there is still no Chromium; see the messages above")
    return 0 if path else 1


if __name__ == "__main__":
    sys.exit(main())
