"""The options of curves become a choice; what no curve has is refused by the name of the option."""

from __future__ import annotations

import pytest
from gandl.screening.curve_options import CurveShapeOptions
from gandl_shared.errors import Invalid
from gandl_shared.schemas.curve import CurveChoice


def test_options_become_a_choice() -> None:
    shape = CurveShapeOptions(model="hill", bottom="0", top="90:110", share="bottom, top")
    assert shape.choice == CurveChoice(model="hill", bottom="0", top="90:110", share=("bottom", "top"))
    assert CurveShapeOptions().choice == CurveChoice()


@pytest.mark.parametrize(("option", "value"), [("model", "4pl"), ("share", "slope"), ("share", "bottom;top")])
def test_unknown_words_are_refused_by_the_option(option: str, value: str) -> None:
    with pytest.raises(Invalid, match=f"--{option}"):
        _ = CurveShapeOptions(**{option: value}).choice
