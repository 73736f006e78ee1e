"""What an export reads, what the reader chose, and what an export is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields

from gandl_shared.errors import Invalid, NotFound, Problem
from gandl_shared.schemas.analysis.decisions import Decision
from gandl_shared.schemas.curve import Curve
from gandl_shared.schemas.screen import Hit, SiteScore, WellScore
from gandl_shared.store import Profiles

from gandl_analysis.pipeline.result import ScreenAnalysis


@dataclass(frozen=True, kw_only=True)
class ExportSource:
    """A stored analysis. What is large or rarely needed is read when an export asks for it. `address` is that of the
    service, for the notebook. `hits` are the compounds by rank with what people set beside them, and `decisions` the
    trail of the screen. `report` is the report as one file, `axes` are the files of the fitted axes, and `features` is
    the list of features of a table; it raises NotFound where a model made the vectors."""

    screen: str
    version: int
    address: str
    analysis: ScreenAnalysis
    sites: Callable[[], Sequence[SiteScore]]
    profiles: Callable[[], Profiles]
    hits: Callable[[], Sequence[Hit]]
    decisions: Callable[[], Sequence[Decision]]
    report: Callable[[], str]
    axes: Callable[[], Mapping[str, bytes]]
    features: Callable[[], bytes]


@dataclass(frozen=True, kw_only=True)
class ExportChoice:
    """What of a screen is exported; None stands for everything, or for the only one there is."""

    plate: str | None = None
    compound: str | None = None
    cell_line: str | None = None
    quantity: str | None = None

    @property
    def names(self) -> frozenset[str]:
        """The names of what was chosen."""
        return frozenset(field.name for field in fields(self) if getattr(self, field.name) is not None)


Content = bytes | Iterator[bytes]


@dataclass(frozen=True, kw_only=True)
class Export:
    """One export: the name of its file, its media type, a sentence about it, and which choices it takes.

    `content` returns the file, or its parts where it is large. It raises NotFound or Invalid where the screen has
    nothing of the kind. `lack` says why a screen cannot have it at all, and what to do; None where it can.
    """

    name: str
    media: str
    meaning: str
    content: Callable[[ExportSource, ExportChoice], Content]
    choices: frozenset[str] = frozenset()
    lack: Callable[[ScreenAnalysis], str | None] = lambda _: None

    def of(self, source: ExportSource, choice: ExportChoice) -> Content:
        """Return the file. Raises Invalid for a choice that this export does not take, and NotFound where the screen
        cannot have it."""
        problems = [
            Problem(f"{self.name} does not take it; leave it out", field=name) for name in _others(self, choice)
        ]
        if problems:
            raise Invalid(f"{self.name} does not take {problems[0].field}; leave it out", problems=problems)
        lack = self.lack(source.analysis)
        if lack is not None:
            raise NotFound(f"screen '{source.screen}' has no {self.name}: {lack}")
        return self.content(source, choice)


def _others(export: Export, choice: ExportChoice) -> list[str]:
    return sorted(choice.names - export.choices)


def chosen_curves(source: ExportSource, choice: ExportChoice) -> list[Curve]:
    """Return the curves of the chosen compound and cell line, in the order of the analysis. Raises NotFound."""
    curves = [
        curve
        for curve in source.analysis.curves
        if choice.compound in (None, curve.compound) and choice.cell_line in (None, curve.cell_line)
    ]
    if not curves:
        wish = " and ".join(
            f"{label} '{name}'"
            for label, name in (("compound", choice.compound), ("cell line", choice.cell_line))
            if name is not None
        )
        raise NotFound(f"screen '{source.screen}' has no curve" + (f" of {wish}" if wish else ""))
    return curves


def chosen_plate(source: ExportSource, choice: ExportChoice) -> str:
    """Return the chosen plate, or the only one. Raises NotFound for a plate that is not there, Invalid for none of
    several."""
    return _only(plates_of(source), choice.plate, "plate", source)


def chosen_cell_line(source: ExportSource, choice: ExportChoice) -> str:
    """Return the chosen cell line, or the only one. Raises NotFound and Invalid as `chosen_plate` does."""
    return _only(cell_lines_of(source), choice.cell_line, "cell_line", source)


def plates_of(source: ExportSource) -> tuple[str, ...]:
    """Return the plates in plate map order."""
    return tuple(dict.fromkeys(well.plate for well in source.analysis.wells))


def cell_lines_of(source: ExportSource) -> tuple[str, ...]:
    """Return the cell lines in plate map order."""
    return tuple(dict.fromkeys(well.cell_line for well in source.analysis.wells if well.cell_line))


def wells_of(source: ExportSource, plate: str) -> list[WellScore]:
    """Return the wells of a plate in plate map order."""
    return [well for well in source.analysis.wells if well.plate == plate]


def _only(names: Sequence[str], name: str | None, field: str, source: ExportSource) -> str:
    if name is None and len(names) == 1:
        return names[0]
    if name is None:
        first = ", ".join(names[:5])
        problem = Problem(f"is absent; the screen has {len(names)}: {first}", field=field)
        raise Invalid(f"choose one of {len(names)} with ?{field}=, such as {first}", problems=[problem])
    if name not in names:
        raise NotFound(
            f"screen '{source.screen}' has no {field.replace('_', ' ')} '{name}'; it has {', '.join(names[:5])}"
        )
    return name
