"""Figure 6 writes every cell of each confusion matrix and the accuracies of the paper."""

from __future__ import annotations

from gandl.paper.confusion import figure6

from tests.cli.paper.test_cell_types import fields


def test_counts_shares_and_the_papers_accuracies_are_in_the_table() -> None:
    page = figure6({"own": fields(3, 2)})
    rows = [dict(zip(page.header, row, strict=True)) for row in page.rows]
    own = [row for row in rows if row["features"] == "own"]
    assert len(own) == 9
    assert sum(row["n_images"] for row in own if isinstance(row["n_images"], int)) == 3 * 2 * 2 * 4
    shares = [row["share_of_true"] for row in own if row["true_cell_type"] == "C0"]
    assert abs(sum(share for share in shares if isinstance(share, float)) - 1) < 1e-12
    assert [row["accuracy_percent"] for row in rows[9:]] == [92.68, 83.19]
    assert page.caption.startswith("Figure 6: cell types, whole experiments held out.")


def test_the_caption_names_each_unit_that_was_held_out() -> None:
    assert "whole experiments and plates held out" in figure6({"a": fields(2, 2), "b": fields(2, 1)}).caption
