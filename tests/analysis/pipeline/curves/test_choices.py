"""A choice of the user becomes the request of a fit, or is refused by the name of its field."""

from __future__ import annotations

import pytest
from gandl_analysis.pipeline.curves.choices import curve_request
from gandl_science.dose_response.families.request import CurveRequest, Limits, ModelRequest, Plateau
from gandl_shared.errors import Invalid
from gandl_shared.schemas.curve import CurveChoice


def test_numbers_and_texts_become_limits() -> None:
    choice = CurveChoice(model="5pl", bottom=0, top="90:110", share=("top",))
    assert curve_request(choice) == CurveRequest(
        model=ModelRequest.FIVE_PARAMETER, bottom=Limits(0, 0), top=Limits(90, 110), shared=frozenset({Plateau.TOP})
    )
    assert curve_request(CurveChoice()) == CurveRequest()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (CurveChoice(bottom="zero"), "curves.bottom: 'zero' is neither"),
        (CurveChoice(slope="3:1"), "curves.slope: the lower limit 3"),
        (CurveChoice(bottom=100, top=0), "curves.bottom: 100 is not below"),
        (CurveChoice(top=1, share=("top",)), "curves.share: top is fixed"),
    ],
)
def test_nonsense_is_refused_by_name(choice: CurveChoice, message: str) -> None:
    with pytest.raises(Invalid, match=message):
        curve_request(choice)
