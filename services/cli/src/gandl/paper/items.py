"""The items of the paper that can be drawn, and what each needs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from gandl_analysis.pipeline.analyse import analyse
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.result import ScreenAnalysis
from gandl_shared.errors import BadInput
from threadpoolctl import threadpool_limits

from gandl.paper.confusion import figure6
from gandl.paper.curves import figure5
from gandl.paper.features import as_in_the_paper, read_cells, read_screens
from gandl.paper.gallery import figure1
from gandl.paper.pages import Page
from gandl.paper.planes import HELD_OUT, IN_SAMPLE, check_compounds, figure3, figure4
from gandl.paper.published import NAMED_COMPOUNDS
from gandl.paper.table1 import table1


class PaperItem(StrEnum):
    """A table or figure of the paper."""

    TABLE1 = "table1"
    FIGURE1 = "figure1"
    FIGURE3 = "figure3"
    FIGURE4 = "figure4"
    FIGURE5 = "figure5"
    FIGURE6 = "figure6"


@dataclass(frozen=True, kw_only=True)
class PaperData:
    """The folder of the data, features as NAME=PATH, named compounds, and the positive control."""

    folder: Path
    features: Sequence[str] = ()
    compounds: Sequence[str] = ()
    positive: tuple[str, ...] = ()

    @property
    def named(self) -> Sequence[str]:
        """The compounds to highlight: those that are given, else those of the paper."""
        return self.compounds or NAMED_COMPOUNDS


_SHOW_COMPOUNDS = (PaperItem.FIGURE1, PaperItem.FIGURE4, PaperItem.FIGURE5)
_HAVE_CONTROLS = (PaperItem.TABLE1, PaperItem.FIGURE3, PaperItem.FIGURE4, PaperItem.FIGURE5)


def pages_of(item: PaperItem, data: PaperData) -> Mapping[str, Page]:
    """Return the pages of an item by the name of their files.

    Raises BadInput for an option that would change nothing, and BadInput and its kin naming what is missing.
    """
    _refuse("--compound", item, _SHOW_COMPOUNDS, present=bool(data.compounds))
    _refuse("--positive-control", item, _HAVE_CONTROLS, present=bool(data.positive))
    # As in the analysis, BLAS threads gain nothing on matrices of this size.
    with threadpool_limits(1, user_api="blas"):
        return _pages(item, data)


def _refuse(option: str, item: PaperItem, items: Sequence[PaperItem], *, present: bool) -> None:
    if present and item not in items:
        raise BadInput(f"{option} changes nothing in {item}; leave it out, it is for {', '.join(items)}")


def _pages(item: PaperItem, data: PaperData) -> Mapping[str, Page]:
    if item is PaperItem.FIGURE1:
        return {item: figure1(data.folder, data.named, option=data.compounds)}
    if item is PaperItem.FIGURE6:
        return {item: figure6(read_cells(data.folder, data.features))}
    screens = read_screens(data.folder, data.features, data.positive)
    if item is PaperItem.TABLE1:
        return {item: table1(screens)}
    held_out = {name: analyse(screen).analysis for name, screen in screens.items()}
    if item is not PaperItem.FIGURE3:
        for analysis in held_out.values():
            check_compounds(data.named, analysis)
    if item is PaperItem.FIGURE5:
        return {item: figure5(held_out, data.named, data.folder)}
    return _planes(item, _in_sample(screens), held_out, data.named)


def _in_sample(screens: Mapping[str, ScreenInput]) -> Mapping[str, ScreenAnalysis]:
    return {name: analyse(as_in_the_paper(screen)).analysis for name, screen in screens.items()}


def _planes(
    item: PaperItem,
    in_sample: Mapping[str, ScreenAnalysis],
    held_out: Mapping[str, ScreenAnalysis],
    compounds: Sequence[str],
) -> Mapping[str, Page]:
    ways = {str(item): (in_sample, IN_SAMPLE), f"{item}-held-out": (held_out, HELD_OUT)}
    if item is PaperItem.FIGURE3:
        return {name: figure3(analyses, way) for name, (analyses, way) in ways.items()}
    return {name: figure4(analyses, compounds, way) for name, (analyses, way) in ways.items()}
