"""The small picture of a plate: a value of 0, an empty well and a missing value look different."""

from __future__ import annotations

from xml.etree import ElementTree

from gandl_analysis.figures.light.colours import colour_scale
from gandl_analysis.figures.light.plate import plate_picture
from gandl_shared.schemas.vocabulary import Role

from tests.analysis.example.screen import example_analysis

WELLS = [well for well in example_analysis().wells if well.plate == "HRCE-1"]
SCALE = colour_scale([-1.0, 1.0], is_diverging=True, limit=1.0)


def classes(values: dict[str, float | str | None]) -> dict[str, int]:
    root = ElementTree.fromstring(plate_picture(WELLS, values, SCALE, "a <label>"))
    assert root.get("aria-label") == "a <label>"
    names = [item.get("class", "") for item in root]
    return {name: names.count(name) for name in ("w", "e", "x", "m")}


def test_zero_empty_and_missing_differ() -> None:
    empty = sum(well.role is Role.EMPTY for well in WELLS)
    controls = sum(well.role.is_control for well in WELLS)
    assert empty > 0
    filled = dict.fromkeys((well.well for well in WELLS if well.role is not Role.EMPTY), 0.0)
    assert classes(dict(filled)) == {"w": len(filled), "e": empty, "x": 0, "m": controls}
    assert classes({}) == {"w": 0, "e": empty, "x": len(WELLS) - empty, "m": 0}


def test_rows_and_columns_are_named() -> None:
    root = ElementTree.fromstring(plate_picture(WELLS, {}, SCALE, ""))
    labels = [item.text for item in root if "l" in item.get("class", "").split()]
    assert labels == [*"ABCDEFGH", *map(str, range(1, 13))]
