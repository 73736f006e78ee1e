"""`gandl simulate`: a screen with known truth, as images, plate map and truth tables."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from gandl.simulate import ScreenDesign, SimulatedScreen


def simulate(
    out: Annotated[Path, typer.Argument(help="New folder for Images/, platemap.csv and truth.csv.")],
    *,
    preset: Annotated[str, typer.Option(help="Screen to start from: demo, screen-24 or training.")] = "demo",
    seed: Annotated[int | None, typer.Option(help="Seed of everything random; default the preset's.")] = None,
    compounds: Annotated[
        Path | None,
        typer.Option(
            help="CSV of own compounds: compound, cell_line, ec50_um, slope, max_rescue, toxicity_ec50_um, "
            "toxicity_slope; empty means no such effect."
        ),
    ] = None,
    cell_line: Annotated[list[str] | None, typer.Option(help="HRCE-like or VERO-like; may be repeated.")] = None,
    doses: Annotated[int | None, typer.Option(help="Doses a compound.")] = None,
    top_dose: Annotated[float | None, typer.Option(help="Highest dose, µM.")] = None,
    dose_step: Annotated[float | None, typer.Option(help="Factor between doses; default half a decade.")] = None,
    replicates: Annotated[int | None, typer.Option(help="Replicates of each dose.")] = None,
    replicates_per_plate: Annotated[int | None, typer.Option(help="How many of them share a plate.")] = None,
    positive: Annotated[int | None, typer.Option(help="Uninfected control wells a plate.")] = None,
    negative: Annotated[int | None, typer.Option(help="Infected, untreated control wells a plate.")] = None,
    wells: Annotated[int | None, typer.Option(help="Wells a plate: 96 or 384.")] = None,
    sites: Annotated[int | None, typer.Option(help="Fields a well.")] = None,
    size: Annotated[int | None, typer.Option(help="Edge of a field, pixels.")] = None,
    bits: Annotated[int | None, typer.Option(help="Bits a pixel: 8 or 16.")] = None,
    multichannel: Annotated[
        bool | None, typer.Option("--multichannel/--one-file-a-channel", help="How a site is written.")
    ] = None,
    nuisance: Annotated[float, typer.Option(help="Factor on all plate, position and microscope effects.")] = 1.0,
    processes: Annotated[int | None, typer.Option(help="Processes; default one a core.")] = None,
) -> None:
    """Simulate a five-channel compound screen with known EC50s; the same seed gives the same bytes."""
    from gandl.simulate import default_processes, read_compounds
    from gandl.simulate import preset as named

    design = named(preset)
    ladder = replace(design.ladder, **_given(top_um=top_dose, count=doses, step=dose_step))
    controls = replace(design.controls, **_given(positive=positive, negative=negative))
    changes = _given(
        seed=seed,
        compounds=read_compounds(compounds) if compounds else None,
        cell_lines=tuple(cell_line) if cell_line else None,
        replicates=replicates,
        replicates_per_plate=_per_plate(design, replicates, replicates_per_plate),
        wells=wells,
        sites=sites,
        size=size,
        bits=bits,
        multichannel=multichannel,
    )
    effects = design.effects.scaled(nuisance)
    design = replace(design, ladder=ladder, controls=controls, effects=effects, **changes)
    screen = _with_bar(out, design, default_processes() if processes is None else processes)
    typer.echo(
        f"{screen.plates} plates, {screen.wells} wells, {screen.files} images in {screen.images}\n"
        f"plate map {screen.platemap}\ntruth {screen.truth}"
    )


def _given(**values: object) -> dict[str, Any]:
    """The options that were given. `Any`, because they go to the fields of a dataclass by name."""
    return {name: value for name, value in values.items() if value is not None}


def _per_plate(design: ScreenDesign, replicates: int | None, given: int | None) -> int | None:
    """The preset's replicates a plate, but no more than there are to be, unless another number was given."""
    if given is not None or replicates is None:
        return given
    return max(1, min(design.replicates_per_plate, replicates))


def _with_bar(out: Path, design: ScreenDesign, processes: int) -> SimulatedScreen:
    """Simulate behind a progress bar on stderr."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    from gandl.simulate import simulate_screen

    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True))
    task = bar.add_task("simulating wells", total=None)

    def show(done: int, total: int) -> None:
        bar.start()  # only now, so that bad input is answered by its error alone; starting again does nothing
        bar.update(task, completed=done, total=total)

    try:
        return simulate_screen(out, design, processes=processes, on_progress=show)
    finally:
        if bar.live.is_started:
            bar.stop()
