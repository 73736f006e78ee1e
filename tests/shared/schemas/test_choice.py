"""The choice of a focal plane as users write it."""

from __future__ import annotations

import pytest
from gandl_shared.schemas.choice import ImageChoice, Reduction


@pytest.mark.parametrize(
    ("z", "reduction", "plane"),
    [
        (None, Reduction.NONE, None),
        ("3", Reduction.NONE, "3"),
        ("MAX", Reduction.MAX, None),
        ("focus", Reduction.FOCUS, None),
    ],
)
def test_a_plane_or_a_reduction_is_chosen(z: str | None, reduction: Reduction, plane: str | None) -> None:
    choice = ImageChoice(z=z)
    assert (choice.reduction, choice.plane) == (reduction, plane)
