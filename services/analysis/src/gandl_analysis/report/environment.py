"""The Jinja environment of all pages: everything escaped, style and script put into the page, a policy that allows only
these."""

from __future__ import annotations

import base64
import hashlib
import re
from functools import lru_cache
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from gandl_analysis.report import wording


@lru_cache(maxsize=1)
def environment() -> Environment:
    """Templates with autoescape; `asset`, `script` and `policy` are for the frame of a page."""
    env = Environment(
        loader=PackageLoader("gandl_analysis.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    env.globals.update(asset=asset, policy=policy, verdict_words=wording.VERDICTS, count=wording.count, zip=zip)
    env.globals.update(image_reasons=wording.IMAGE_REASONS)
    env.filters.update(
        number=wording.number,
        fixed=wording.fixed,
        chance=wording.chance,
        concentration=wording.concentration,
        location=wording.location,
        interval=wording.interval,
        is_digest=lambda text: re.fullmatch("[0-9a-f]{64}", text) is not None,
        flag_label=wording.flag_label,
        flag_meaning=wording.flag_meaning,
        sentence=wording.sentence,
        wells=wording.wells,
        parameters=wording.parameters,
    )
    return env


def asset(name: str) -> Markup:
    """A file of `static/`, ours, so not escaped."""
    return Markup((files("gandl_analysis.report") / "static" / name).read_text(encoding="utf-8").strip())


def policy(*scripts: str, connect: bool) -> str:
    """A content security policy: our scripts by their hash and nothing else, no network (or this server only)."""
    hashes = " ".join(f"'sha256-{_sha256(asset(name))}'" for name in scripts) or "'none'"
    talk = "'self'" if connect else "'none'"
    return (
        f"default-src 'none'; style-src 'unsafe-inline'; img-src data:; script-src {hashes}; connect-src {talk}; "
        "base-uri 'none'; form-action 'none'"
    )


def _sha256(text: str) -> str:
    return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
