"""The facts of a report in the terminal."""

from __future__ import annotations

from gandl.terminal.inspection_table import facts
from gandl_shared.schemas.image_layout import ImageReport, PlateContent


def test_only_what_there_is_is_told() -> None:
    report = ImageReport(
        layout="Harmony",
        plates=tuple(PlateContent(plate=f"P{n}", wells=1, sites=2) for n in range(25)),
        channels=(),
        planes=tuple(map(str, range(1, 12))),
        timepoints=("1",),
        files=50,
        missing=("a.tif",),
        missing_count=3,
        command="gandl screen",
    )
    lines = list(facts(report))
    assert ("plates", "and 5 more") in lines
    assert ("planes", "11: 1, 2, 3, 4, 5, 6, 7, 8 and 3 more") in lines
    assert ("missing", "3 files that the index names, such as a.tif") in lines
    assert not {"time points", "pixel size", "incomplete"} & {name for name, _ in lines}
