"""The files of the pages: styles, scripts and bundled libraries, served from the package and from nowhere else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from functools import lru_cache
from importlib.resources import files
from importlib.resources.abc import Traversable

from fastapi import APIRouter, Response
from gandl_shared.errors import NotFound

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".png": "image/png",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
# An address holds the digest of the content, so that a browser may keep the file for good.
_HEADERS = {"Cache-Control": "public, max-age=31536000, immutable", "X-Content-Type-Options": "nosniff"}


def address_of(base: str, name: str) -> str:
    """Return the address of a file of `static/`; `base` is the path at which the application is mounted."""
    return f"{base}/ui/static/{digest_of(name)}/{name}"


@lru_cache(maxsize=256)
def digest_of(name: str) -> str:
    """Return the digest of a file of `static/`. Raises NotFound."""
    return hashlib.sha256(read_static(name)).hexdigest()[:16]


def read_static(name: str) -> bytes:
    """Return a file of `static/` by its name, such as `vendor/x/x.js`. Raises NotFound for any other name."""
    file = _static_files().get(name)
    if file is None:
        raise NotFound(f"there is no file '{name}' of the pages")
    return file.read_bytes()


def build_static_files() -> APIRouter:
    """Return the router of the files. Their names are those that the package has, and never a path of a request."""
    routes = APIRouter(prefix="/ui/static", include_in_schema=False)

    @routes.get("/{digest}/{name:path}")
    def show_file(digest: str, name: str) -> Response:
        if digest != digest_of(name):
            raise NotFound(f"the file '{name}' of the pages has changed; load the page again")
        suffix = name[name.rfind(".") :]
        return Response(read_static(name), media_type=_TYPES.get(suffix, "application/octet-stream"), headers=_HEADERS)

    return routes


@lru_cache(maxsize=1)
def _static_files() -> dict[str, Traversable]:
    # The style of the report is that of the pages; there is one file of it.
    return dict(_walk(files("gandl_analysis.report") / "static", "")) | dict(
        _walk(files("gandl_analysis.pages") / "static", "")
    )


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _walk(entry, f"{prefix}{entry.name}/")
        else:
            yield f"{prefix}{entry.name}", entry
