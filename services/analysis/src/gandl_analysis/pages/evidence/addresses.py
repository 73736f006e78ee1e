"""Addresses of pictures of a screen; names are percent-encoded, whatever a plate map calls its plates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from gandl_shared.plates import SiteId


@dataclass(frozen=True)
class PictureAddresses:
    """The addresses of the pictures of a screen; `base` is the path at which the application is mounted."""

    base: str
    screen_id: str

    def tile(self, site: SiteId) -> str:
        """Return the address of the typical tile of a site."""
        return f"{self._of('thumbnails', site)}?part=tile"

    def thumbnail(self, site: SiteId) -> str:
        """Return the address of the small picture of a site."""
        return self._of("thumbnails", site)

    def image(self, site: SiteId, parameters: Sequence[tuple[str, str]] = ()) -> str:
        """Return the address of a site at full resolution."""
        return self._of("images", site) + (f"?{urlencode(parameters)}" if parameters else "")

    def _of(self, kind: str, site: SiteId) -> str:
        names = "/".join(quote(name, safe="") for name in site)
        return f"{self.base}/screens/{quote(self.screen_id, safe='')}/{kind}/{names}"
