"""The environment of the templates: everything is escaped, and a page can run our scripts only."""

from __future__ import annotations

import base64
import hashlib
import re

import pytest
from gandl_analysis.report.environment import asset, environment, is_digest, policy
from gandl_shared.schemas.vocabulary import Colour
from jinja2 import UndefinedError


def test_user_text_is_escaped_and_a_missing_variable_is_an_error() -> None:
    template = environment().from_string("{{ name }}")
    assert template.render(name="<b>&") == "&lt;b&gt;&amp;"
    with pytest.raises(UndefinedError):
        template.render()


def test_the_policy_allows_a_script_by_the_hash_of_its_text() -> None:
    digest = base64.b64encode(hashlib.sha256(asset("report.js").encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}'; connect-src 'none'" in policy("report.js", connect=False)
    assert "script-src 'none'; connect-src 'self'" in policy(connect=True)


def test_every_colour_of_the_vocabulary_is_defined_for_light_dark_and_print() -> None:
    blocks = re.findall(r":root \{([^}]*)\}", asset("gandl.css"))
    assert len(blocks) == 3
    for block in blocks:
        assert {str(colour) for colour in Colour} <= set(re.findall(r"--([\w-]+):", block))


def test_a_digest_is_64_hexadecimal_digits() -> None:
    assert is_digest("0f" * 32)
    assert not is_digest("0f" * 31 + "/x") and not is_digest("map.csv")
