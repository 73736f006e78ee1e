"""The input of a fit is checked."""

from __future__ import annotations

import numpy as np
import pytest
from gandl_science.dose_response.records.inputs import DoseResponseData, ResponseScale


@pytest.mark.parametrize(
    ("concentration", "response"),
    [([], []), ([1.0], [1.0, 2.0]), ([[1.0]], [[1.0]]), ([-1.0], [0.0]), ([1.0], [np.nan]), ([np.inf], [0.0])],
)
def test_wells_that_cannot_be_fitted_are_refused(concentration: list[float], response: list[float]) -> None:
    with pytest.raises(ValueError, match="one response per concentration|must be finite"):
        DoseResponseData(np.array(concentration), np.array(response))


def test_the_scale_of_the_controls() -> None:
    scale = ResponseScale(100.0, 0.0)
    assert (scale.midpoint, scale.span) == (50.0, -100.0)


@pytest.mark.parametrize(("negative", "positive"), [(1.0, 1.0), (np.nan, 1.0), (0.0, np.inf)])
def test_controls_must_be_two_different_numbers(negative: float, positive: float) -> None:
    with pytest.raises(ValueError, match="two different numbers"):
        ResponseScale(negative, positive)
