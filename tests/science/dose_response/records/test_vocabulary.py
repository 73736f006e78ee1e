"""Science and the schemas of the services have the same vocabularies."""

from __future__ import annotations

from enum import StrEnum

import pytest
from gandl_science.dose_response.records import vocabulary as science
from gandl_shared.schemas import curve, vocabulary

PAIRS = [
    (science.Verdict, vocabulary.Verdict),
    (science.Flag, vocabulary.Flag),
    (science.Relation, curve.Relation),
    (science.CurveModel, curve.CurveModel),
    (science.WindowLimit, curve.WindowLimit),
]


@pytest.mark.parametrize(("ours", "shared"), PAIRS)
def test_science_and_the_schemas_have_the_same_members_in_the_same_order(
    ours: type[StrEnum], shared: type[StrEnum]
) -> None:
    assert [(member.name, member.value) for member in ours] == [(member.name, member.value) for member in shared]
