"""The Jinja environment of all pages: it escapes every text, and its security policy allows our scripts only."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from importlib.resources import files

from gandl_shared.schemas.vocabulary import Verdict
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gandl_analysis.report import numbers, phrases

_SHA256 = re.compile("[0-9a-f]{64}")


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Return the environment of the templates."""
    env = Environment(
        loader=PackageLoader("gandl_analysis.report"),
        autoescape=True,
        # A missing variable is a mistake of ours and must not become an empty text.
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(asset=asset, policy=policy, count=numbers.count, verdicts=tuple(Verdict), zip=zip)
    env.filters.update(
        number=numbers.number,
        fixed=numbers.fixed,
        p_value=numbers.p_value,
        share=numbers.share,
        concentration=numbers.concentration,
        location=numbers.location,
        interval=numbers.interval,
        sentence=phrases.sentence,
        well_group=phrases.well_group,
        parameter_list=phrases.parameter_list,
        is_digest=is_digest,
        spaced=lambda name: name.replace("_", " "),
    )
    return env


def asset(name: str) -> Markup:
    """Return a file of `static/`. It is part of the package and so it is not escaped."""
    return Markup((files("gandl_analysis.report") / "static" / name).read_text(encoding="utf-8").strip())


def policy(*scripts: str, connect: bool) -> str:
    """Return a content security policy: these scripts of `static/` by their hash and no others. `connect` allows
    requests to the server of the page; otherwise there is no network at all."""
    # Inline styles are allowed, since SVG needs them and they cannot run code. Scripts need the hash of their text.
    hashes = " ".join(f"'sha256-{_sha256(asset(name))}'" for name in scripts) or "'none'"
    server = "'self'" if connect else "'none'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {hashes}; connect-src {server}; "
        "base-uri 'none'; form-action 'none'"
    )


def is_digest(text: str) -> bool:
    """True for a SHA-256 in hexadecimal digits."""
    return _SHA256.fullmatch(text) is not None


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
