"""Names of files that clients choose."""

from __future__ import annotations

import pytest
from gandl_embedding.inputs.uploads import safe_name


@pytest.mark.parametrize(
    ("filename", "name"),
    [
        ("../../etc/x.tif", "x.tif"),
        ("..", "unnamed"),
        ("a#image=2", "a_image_2"),
        ("a" * 200, "a" * 100),
        ("é\n", "__"),
    ],
)
def test_a_name_is_safe_in_a_message(filename: str, name: str) -> None:
    assert safe_name(filename) == name
