"""Draw the parts, their layers and the arrows between them: `python -m checks.arrows docs/images/arrows.svg`.

The arrows are the imports of the code. The layers inside a part are its exhaustive contract in pyproject.toml.
`--check` compares with the picture that is committed and returns 1 where it is out of date.
"""

from __future__ import annotations

import argparse
import sys
import textwrap
import tomllib
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import grimp
import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import FancyBboxPatch

ROOT = Path(__file__).resolve().parents[1]
PURPOSE = {
    "gandl": "the command line, the embedded stack, the simulator",
    "gandl_embedding": "tiles to vectors: ONNX Runtime",
    "gandl_worker": "batches of a screen: Celery",
    "gandl_analysis": "vectors to verdicts: report, REST, pages",
    "gandl_training": "StyleGAN2 and its export: torch",
    "gandl_science": "arrays in, frozen results out",
    "gandl_shared": "what every part uses",
}
LINE = 0.34
"""Height of a line of text in inches."""


WIDTH = 16.0
FLOORS = (
    (("gandl",), 5.6),
    (("gandl_embedding", "gandl_worker", "gandl_analysis", "gandl_training"), 3.5),
    (("gandl_science", "gandl_shared"), 4.6),
)
"""The parts on each floor from the top, and the width of their boxes in inches."""


@dataclass(frozen=True, kw_only=True)
class Box:
    """A part of gandl in the picture: its upper left corner and its width in inches, and its lines of text."""

    part: str
    x: float
    top: float
    width: float
    lines: tuple[str, ...]

    @property
    def height(self) -> float:
        """A title, a purpose and the lines of the layers."""
        return LINE * (len(self.lines) + 2.5)

    @property
    def bottom(self) -> float:
        """The lower edge."""
        return self.top - self.height


def layers_of_parts(configuration: Path) -> dict[str, tuple[str, ...]]:
    """The layers inside each part from its import contract, from the top down, without parentheses."""
    contracts = tomllib.loads(configuration.read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    inside = [c for c in contracts if c["type"] == "layers" and "containers" in c]
    return {
        c["containers"][0]: tuple(layer.translate(str.maketrans("", "", "()")) for layer in c["layers"]) for c in inside
    }


def find_arrows() -> set[tuple[str, str]]:
    """Each pair of parts (importer, imported) in which a module of the first imports a module of the second."""
    graph = grimp.build_graph(*PURPOSE, cache_dir=None)
    imports = ((m, other) for m in graph.modules for other in graph.find_modules_directly_imported_by(m))
    ends = {(importer.split(".")[0], imported.split(".")[0]) for importer, imported in imports}
    return {(importer, imported) for importer, imported in ends if importer != imported}


def wrap(layers: tuple[str, ...], width: float) -> tuple[str, ...]:
    """The lines of text of the layers in a box of `width` inches; a layer of many modules goes on in a further line."""
    characters = int(width * 11.5)
    parted = (textwrap.wrap(layer.replace(" | ", " · "), characters, subsequent_indent="  ") for layer in layers)
    return tuple(line for lines in parted for line in lines)


def place_boxes(layers: dict[str, tuple[str, ...]]) -> dict[str, Box]:
    """Three floors: the command line, the four parts that do the work, and what they all use."""
    boxes: dict[str, Box] = {}
    ceiling = 0.0
    for parts, width in FLOORS:
        gap = (WIDTH - width * len(parts)) / (len(parts) + 1)
        floor = [
            Box(part=part, x=gap + i * (width + gap), top=ceiling, width=width, lines=wrap(layers[part], width))
            for i, part in enumerate(parts)
        ]
        boxes |= {box.part: box for box in floor}
        ceiling -= max(box.height for box in floor) + 1.1
    return boxes


def draw_box(axes: Axes, box: Box) -> None:
    """The part's name, its purpose, and its layers: each may import only those below it."""
    corner = (box.x, box.bottom)
    axes.add_patch(FancyBboxPatch(corner, box.width, box.height, boxstyle="round,pad=0.05", fc="#f4f6fa", ec="#33415c"))
    first = box.top - LINE * 0.7
    axes.text(box.x + 0.15, first, box.part, weight="bold", fontsize=13, va="center")
    axes.text(box.x + 0.15, first - LINE, PURPOSE[box.part], fontsize=10, va="center", color="#44546f")
    for i, line in enumerate(box.lines):
        axes.text(box.x + 0.3, first - LINE * (i + 2), line, fontsize=9.5, va="center", family="monospace")


def draw_arrow(axes: Axes, start: Box, end: Box) -> None:
    """An arrow from the importing part down to the imported one."""
    # The ends are spread along the edges in the direction of the other box, so that arrows do not lie on each other.
    shift = (end.x + end.width / 2 - start.x - start.width / 2) / WIDTH
    tail = (start.x + start.width * (0.5 + 0.6 * shift), start.bottom - 0.06)
    head = (end.x + end.width * (0.5 - 0.6 * shift), end.top + 0.06)
    style = {"arrowstyle": "-|>", "color": "#6b7a99", "shrinkA": 0, "shrinkB": 0}
    axes.annotate("", head, tail, arrowprops=style, zorder=0)


def draw() -> str:
    """The whole picture as SVG."""
    layers = layers_of_parts(ROOT / "pyproject.toml")
    layers["gandl"] += ("and " + ", ".join(FLOORS[-1][0]),)
    boxes = place_boxes(layers)
    low = min(box.bottom for box in boxes.values()) - 0.3
    # A fixed salt and text as text give the same bytes for the same code on any machine.
    with mpl.rc_context({"svg.hashsalt": "gandl", "svg.fonttype": "none", "font.family": "sans-serif"}):
        figure = Figure(figsize=(WIDTH, 0.3 - low), facecolor="white")
        axes = figure.add_axes((0, 0, 1, 1))
        axes.set(xlim=(0, WIDTH), ylim=(low, 0.3))
        axes.axis("off")
        for importer, imported in sorted(find_arrows()):
            # The command line's arrows to the lowest floor would run behind other boxes: its box names them instead.
            if importer != "gandl" or imported not in FLOORS[-1][0]:
                draw_arrow(axes, boxes[importer], boxes[imported])
        for box in boxes.values():
            draw_box(axes, box)
        text = StringIO()
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None})
    return text.getvalue()


def main() -> int:
    """Write the picture, or check that the committed one shows the code as it is."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    svg = draw()
    if not options.check:
        options.picture.write_text(svg, encoding="utf-8")
        return 0
    current = options.picture.read_text(encoding="utf-8") == svg
    print("the picture of the arrows is current" if current else f"{options.picture} is out of date: run `make docs`")
    return 0 if current else 1


if __name__ == "__main__":
    sys.exit(main())
