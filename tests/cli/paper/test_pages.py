"""Pages are written together, say when their data are simulated, and cut nothing off."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from gandl.paper.features import is_simulated
from gandl.paper.pages import SIMULATED, Page, caption_lines, write_pages
from gandl.simulate.published.sites import NOTICE
from gandl_shared.errors import BadInput
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

CAPTION = "Figure 6: cell types, whole plates held out. Paper, RxRx1: GAN-DL 92.68 %, DenseNet of ImageNet 83.19 %"


def page(width: float = 4.0) -> Page:
    figure = Figure(figsize=(width, 3.9))
    axes = figure.subplots()
    axes.set(xlabel="concentration, µM", ylabel="efficacy", title="HRCE")
    return Page(figure=figure, caption=CAPTION, header=("a", "b"), rows=[(1.23456789, None), ("x", 2)])


def test_a_page_is_three_files_and_numbers_have_six_digits(tmp_path: Path) -> None:
    paths = write_pages(tmp_path / "out", {"figure6": page()}, simulated=False)
    assert [path.name for path in paths] == ["figure6.svg", "figure6.png", "figure6.csv"]
    assert paths[2].read_text() == "a,b\n1.23457,\nx,2\n"
    assert SIMULATED not in paths[0].read_text()


def test_simulated_data_are_called_so_on_the_figure(tmp_path: Path) -> None:
    assert not is_simulated(tmp_path)
    (tmp_path / NOTICE).write_text("simulated")
    assert is_simulated(tmp_path)
    assert SIMULATED in write_pages(tmp_path, {"x": page()}, simulated=True)[0].read_text()


@pytest.mark.parametrize("width", [4.0, 7.2, 11.0])
def test_no_text_leaves_the_figure_or_lies_on_another(tmp_path: Path, width: float) -> None:
    content = page(width)
    png = write_pages(tmp_path, {"x": content}, simulated=True)[1]
    figure = content.figure
    renderer = FigureCanvasAgg(figure).get_renderer()
    caption, notice = (text.get_window_extent(renderer) for text in figure.texts)
    panels = figure.axes[0].get_tightbbox(renderer)
    assert panels is not None
    for box in (caption, notice, panels):
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height
    assert caption.y0 >= panels.y1
    assert notice.y1 <= panels.y0
    pixels = np.asarray(Image.open(png).convert("L"))
    assert (pixels[:, [0, -1]] == 255).all()


def test_a_caption_loses_no_word_to_its_lines() -> None:
    assert " ".join(caption_lines(CAPTION, 4.0)) == CAPTION
    assert len(caption_lines(CAPTION, 4.0)) > len(caption_lines(CAPTION, 11.0)) == 1


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("mine")
    with pytest.raises(BadInput, match="is a file; give a folder"):
        write_pages(tmp_path / "out", {"x": page()}, simulated=False)
    assert (tmp_path / "out").read_text() == "mine"
