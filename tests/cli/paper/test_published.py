"""The numbers of the paper are those that stand in it."""

from __future__ import annotations

from gandl.paper.published import accuracies_of, published_accuracies


def test_the_accuracies_of_table_1_and_figure_6() -> None:
    assert accuracies_of("table1", "C+ vs C-") == {
        "GAN-DL": 91.4, "published embedding": 95.81, "DenseNet of ImageNet": 65.31
    }  # fmt: skip
    assert accuracies_of("table1", "C+ vs C- (HRCE only)")["published embedding"] == 99.28
    assert accuracies_of("figure6", "cell types") == {"GAN-DL": 92.68, "DenseNet of ImageNet": 83.19}
    assert all(accuracy.source for accuracy in published_accuracies())
    assert accuracies_of("table1", "no such task") == {}
