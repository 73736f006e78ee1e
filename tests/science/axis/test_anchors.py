"""Anchors put the controls at -1 and +1."""

from __future__ import annotations

import numpy as np
from gandl_science.axis.anchors import Anchors, control_anchors


def test_controls_are_minus_one_and_plus_one() -> None:
    on, labels = np.array([2.0, 4.0, 7.0, 9.0, 5.5, np.nan]), np.array([-1, -1, 1, 1, 0, 1])
    anchors = control_anchors(on, labels)
    assert anchors == Anchors(negative=3.0, positive=8.0)
    np.testing.assert_allclose(anchors.efficacy(on)[:5], [-1.4, -0.6, 0.6, 1.4, 0.0])


def test_controls_that_are_not_separated_give_no_efficacy() -> None:
    assert np.isnan(Anchors(negative=1.0, positive=1.0).efficacy(np.array([0.0, 1.0]))).all()
    assert np.isnan(Anchors(negative=2.0, positive=1.0).efficacy(np.array([0.0, 1.0]))).all()
