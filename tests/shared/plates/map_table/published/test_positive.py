"""A compound with or without a dose names the wells of a positive control."""

from __future__ import annotations

import pytest
from gandl_shared.errors import BadInput
from gandl_shared.plates.map_table.published.positive import EVERY_CONTROL, compound_doses


def test_a_compound_fits_at_its_dose_or_at_all() -> None:
    at_dose, at_all = compound_doses(["taxol@0.3", "DMSO"])
    assert at_dose.fits("Taxol", 0.30000001)
    assert not at_dose.fits("taxol", 3.0)
    assert not at_dose.fits("taxol", None)
    assert at_all.fits("dmso", 1.0)
    assert not at_all.fits("taxol", None)
    assert compound_doses(EVERY_CONTROL) == ()


@pytest.mark.parametrize("word", ["taxol@", "taxol@x", "@1", "taxol@-1", "taxol@nan"])
def test_a_bad_dose_is_refused(word: str) -> None:
    with pytest.raises(BadInput, match="has no concentration after the @"):
        compound_doses([word])
