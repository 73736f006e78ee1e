"""Table 1: how well controls and cell lines are told apart, by the features at hand and in four ways of testing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from gandl_analysis.figures.style import ACTIVE, FONT_SIZE, INK, LINE, MUTED, NEGATIVE, POSITIVE, style_axes
from gandl_analysis.figures.texts import plain
from gandl_analysis.pipeline.inputs import ScreenInput
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from gandl.paper.features import field_vectors
from gandl.paper.pages import Cell, Page
from gandl.paper.published import accuracies_of
from gandl.paper.separability import Separability, Test, separability, table_tasks

HEADER = (
    "task", "features", "tested_on", "accuracy_percent", "low", "high", "n_images", "n_wells", "paper_gan_dl",
    "paper_published_embedding", "paper_densenet_imagenet",
)  # fmt: skip
_PAPER = ("GAN-DL", "published embedding", "DenseNet of ImageNet")
_LOOKS = {
    Test.EXPERIMENT: (INK, "o"),
    Test.PLATE: (POSITIVE, "s"),
    Test.UNGROUPED: (ACTIVE, "^"),
    Test.IN_SAMPLE: (NEGATIVE, "x"),
}
_PAPER_MARKS = dict(zip(_PAPER, ("G", "E", "D"), strict=True))
_NEAR = 0.3  # per cent


@dataclass(frozen=True, kw_only=True)
class _Result:
    task: str
    features: str
    test: Test
    value: Separability


def table1(screens: Mapping[str, ScreenInput]) -> Page:
    """Return the page of Table 1 for the features by name."""
    results = list(_results(screens))
    tasks = list(dict.fromkeys(result.task for result in results))
    figure = Figure(figsize=(9.0, 0.9 + 0.34 * len(tasks) * (len(screens) + 1)))
    axes = figure.add_subplot()
    style_axes(axes, grid="x")
    _draw(axes, tasks, list(screens), results)
    caption = (
        "Table 1: accuracy over images, 95 % interval over wells. G, E, D: GAN-DL, embedding, DenseNet in the paper"
    )
    return Page(figure=figure, caption=caption, header=HEADER, rows=[_row(result) for result in results])


def _results(screens: Mapping[str, ScreenInput]) -> Iterator[_Result]:
    for name, screen in screens.items():
        fields = field_vectors(screen, controls=True)
        for task in table_tasks(fields.wells):
            for test in Test:
                yield _Result(task=task.name, features=name, test=test, value=separability(fields, task, test))


def _row(result: _Result) -> Sequence[Cell]:
    value = result.value
    percents = [None if x is None else 100 * x for x in (value.accuracy, value.low, value.high)]
    paper = accuracies_of("table1", result.task)
    own = (result.task, result.features, str(result.test), *percents, value.images, value.wells)
    return (*own, *(paper.get(name) for name in _PAPER))


def _draw(axes: Axes, tasks: Sequence[str], features: Sequence[str], results: Sequence[_Result]) -> None:
    ticks: dict[float, str] = {}
    for t, task in enumerate(tasks):
        top = t * (len(features) + 1)
        for f, name in enumerate(features):
            ticks[top + f] = f"{task}   {name}"
            for result in results:
                if (result.task, result.features) == (task, name):
                    _mark(axes, result, top + f)
        marks: dict[float, str] = {}
        for name, percent in accuracies_of("table1", task).items():
            # Letters of nearly equal numbers stand in one text, because one above the other nobody could read them.
            near = next((other for other in marks if abs(other - percent) < _NEAR), percent)
            marks[near] = marks.get(near, "") + _PAPER_MARKS[name]
            axes.plot([percent] * 2, [top - 0.45, top + len(features) - 0.55], color=MUTED, linewidth=0.8, zorder=1)
        for percent, letters in marks.items():
            axes.text(percent, top - 0.5, letters, ha="center", va="bottom", fontsize=7, color=MUTED)
        axes.axhline(top + len(features) - 0.05, color=LINE, linewidth=0.8)
    for test, (colour, marker) in _LOOKS.items():
        axes.plot([], [], marker, color=colour, markersize=5, linestyle="none", label=str(test))
    axes.set_yticks(list(ticks), [plain(label) for label in ticks.values()])
    axes.set_ylim(len(tasks) * (len(features) + 1) - 0.9, -1.2)
    axes.set_xlabel("accuracy, %")
    axes.legend(frameon=False, fontsize=FONT_SIZE - 2, loc="lower left")


def _mark(axes: Axes, result: _Result, height: float) -> None:
    value = result.value
    if value.accuracy is None:
        return
    colour, marker = _LOOKS[result.test]
    y = height + 0.16 * (list(Test).index(result.test) - 1.5)
    if value.low is not None and value.high is not None:
        axes.plot([100 * value.low, 100 * value.high], [y, y], color=colour, linewidth=0.9, zorder=2)
    axes.plot([100 * value.accuracy], [y], marker, color=colour, markersize=5, zorder=3)
