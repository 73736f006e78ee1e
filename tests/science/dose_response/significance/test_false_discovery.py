"""q-values are those of Benjamini and Hochberg."""

from __future__ import annotations

import pytest
from gandl_science.dose_response.significance.false_discovery import q_values


def test_q_values_are_benjamini_hochberg_and_leave_untested_ones_out() -> None:
    # Benjamini and Hochberg 1995, by hand: q_i = min over j >= i of p_j m / j, m = 4 tested.
    adjusted = q_values([0.01, None, 0.04, 0.03, 0.5])
    assert adjusted[1] is None
    assert [v for v in adjusted if v is not None] == pytest.approx([0.04, 0.04 * 4 / 3, 0.04 * 4 / 3, 0.5])
    assert q_values([None, None]) == (None, None)
