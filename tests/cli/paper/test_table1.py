"""Table 1 has a row for each task, features and way of testing, with the numbers of the paper beside."""

from __future__ import annotations

from collections.abc import Mapping

from gandl.paper.separability import Test
from gandl.paper.table1 import HEADER, table1
from gandl_analysis.pipeline.inputs import ScreenInput


def test_each_task_is_tested_in_each_way_and_cites_the_paper(screens: Mapping[str, ScreenInput]) -> None:
    page = table1(screens)
    rows = [dict(zip(page.header, row, strict=True)) for row in page.rows]
    assert page.header == HEADER
    assert [row["tested_on"] for row in rows[:4]] == list(Test)
    assert len({row["task"] for row in rows}) == 4
    assert {row["n_wells"] for row in rows if row["task"] == "C+ vs C-"} == {4 * 12}
    hrce = next(row for row in rows if row["task"] == "C+ vs C- (HRCE only)")
    assert (hrce["paper_gan_dl"], hrce["paper_published_embedding"]) == (92.44, 99.28)


def test_one_plate_per_experiment_gives_equal_numbers_for_plates_and_experiments(
    screens: Mapping[str, ScreenInput],
) -> None:
    rows = [row for row in table1(screens).rows if row[0] == "C+ vs C-"]
    assert rows[0][3:] == rows[1][3:]
