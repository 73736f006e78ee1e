"""`gandl simulate`: a screen with known truth, as images, plate map and truth tables."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import Annotated, Any

import typer
from gandl_shared.errors import BadInput

from gandl.simulate import (
    CELL_LINES,
    PRESETS,
    ScreenDesign,
    SimulatedScreen,
    default_processes,
    preset,
    read_compounds,
    simulate_screen,
)
from gandl.simulate.plates.compounds import COLUMNS
from gandl.simulate.published.rxrx1 import RXRX1, simulate_rxrx1
from gandl.simulate.published.rxrx19a import RXRX19A, simulate_rxrx19a
from gandl.simulate.published.sites import EMBEDDINGS, METADATA
from gandl.terminal.progress import CountBar


class Form(StrEnum):
    """A published data set in whose form a screen can be simulated."""

    RXRX19A = "rxrx19a"
    RXRX1 = "rxrx1"


def simulate(
    out: Annotated[Path, typer.Argument(help="New folder for Images/, platemap.csv and truth.csv.")],
    *,
    preset_name: Annotated[
        str | None, typer.Option("--preset", help=f"Screen to start from: {', '.join(PRESETS)}; demo if absent.")
    ] = None,
    form: Annotated[
        Form | None,
        typer.Option(
            "--as",
            help="Form of a published data set: metadata.csv, PNG images, and embeddings.csv, which is drawn from the "
            "truth. rxrx1 takes only seed, replicates, sites, size, nuisance and processes.",
        ),
    ] = None,
    seed: Annotated[int | None, typer.Option(help="Seed of everything random; that of the preset if absent.")] = None,
    compounds: Annotated[
        Path | None,
        typer.Option(help=f"CSV of own compounds: {', '.join(COLUMNS)}; an empty EC50 means no such effect."),
    ] = None,
    cell_line: Annotated[list[str] | None, typer.Option(help=f"{' or '.join(CELL_LINES)}; may be repeated.")] = None,
    doses: Annotated[int | None, typer.Option(help="Number of doses per compound.")] = None,
    top_dose: Annotated[float | None, typer.Option(help="Highest dose, µM.")] = None,
    dose_step: Annotated[float | None, typer.Option(help="Factor between doses; half a decade if absent.")] = None,
    replicates: Annotated[int | None, typer.Option(help="Replicates of each dose.")] = None,
    replicates_per_plate: Annotated[int | None, typer.Option(help="Number of replicates on one plate.")] = None,
    positive: Annotated[int | None, typer.Option(help="Uninfected control wells per plate.")] = None,
    negative: Annotated[int | None, typer.Option(help="Infected, untreated control wells per plate.")] = None,
    wells: Annotated[int | None, typer.Option(help="Wells per plate: 96 or 384.")] = None,
    sites: Annotated[int | None, typer.Option(help="Fields per well.")] = None,
    size: Annotated[int | None, typer.Option(help="Width and height of a field, pixels.")] = None,
    bits: Annotated[int | None, typer.Option(help="Bits per pixel: 8 or 16.")] = None,
    multichannel: Annotated[
        bool | None, typer.Option("--multichannel/--one-file-a-channel", help="Number of files per site.")
    ] = None,
    nuisance: Annotated[float, typer.Option(help="Factor on all plate, position and microscope effects.")] = 1.0,
    processes: Annotated[int | None, typer.Option(help="Number of processes; one per core if absent.")] = None,
) -> None:
    """Simulate a five-channel compound screen with known EC50s.

    The same seed gives the same bytes.
    """
    if form is Form.RXRX1:
        others = (preset_name, compounds, cell_line, doses, top_dose, dose_step, replicates_per_plate, positive)
        if any(option is not None for option in (*others, negative, wells, bits, multichannel)):
            raise BadInput("--as rxrx1 takes only --seed, --replicates, --sites, --size, --nuisance and --processes")
        numbers = _changes(seed=seed, replicates=replicates, sites=sites, size=size)
        knockdowns = replace(RXRX1, effects=RXRX1.effects.scaled(nuisance), **numbers)
        _publish(out, partial(simulate_rxrx1, out, knockdowns), processes)
        return
    if form is Form.RXRX19A and (preset_name is not None or multichannel):
        raise BadInput(
            "--as rxrx19a has a design of its own and one file a channel; leave out --preset, --multichannel"
        )
    design = RXRX19A if form is Form.RXRX19A else preset(preset_name or "demo")
    ladder = replace(design.ladder, **_changes(top_um=top_dose, count=doses, step=dose_step))
    controls = replace(design.controls, **_changes(positive=positive, negative=negative))
    changes = _changes(
        seed=seed,
        compounds=read_compounds(compounds) if compounds else None,
        cell_lines=tuple(cell_line) if cell_line else None,
        replicates=replicates,
        replicates_per_plate=_replicates_per_plate(design, replicates, replicates_per_plate),
        wells=wells,
        sites=sites,
        size=size,
        bits=bits,
        multichannel=multichannel,
    )
    effects = design.effects.scaled(nuisance)
    design = replace(design, ladder=ladder, controls=controls, effects=effects, **changes)
    if form is Form.RXRX19A:
        _publish(out, partial(simulate_rxrx19a, out, design), processes)
        return
    screen = _simulate_with_bar(out, design, default_processes() if processes is None else processes)
    typer.echo(
        f"{screen.plates} plates, {screen.wells} wells, {screen.files} images in {screen.images}\n"
        f"plate map {screen.platemap}\ntruth {screen.truth}"
    )


def _publish(out: Path, write: Callable[..., int], processes: int | None) -> None:
    """Write a data set in a published form, and say what was written."""
    with CountBar("simulating wells") as bar:
        sites = write(processes=default_processes() if processes is None else processes, on_progress=bar.count)
    typer.echo(
        f"{sites} simulated fields in {out / 'images'}\n{out / METADATA}\n{out / EMBEDDINGS}\n{out / 'truth.csv'}"
    )


def _changes(**options: object) -> dict[str, Any]:
    """Return the options that are not None. The values are `Any`, because they go to the fields of a dataclass."""
    return {name: value for name, value in options.items() if value is not None}


def _replicates_per_plate(design: ScreenDesign, replicates: int | None, option: int | None) -> int | None:
    """Return the option, or the number of the preset if that is not more than all replicates together."""
    if option is not None or replicates is None:
        return option
    return max(1, min(design.replicates_per_plate, replicates))


def _simulate_with_bar(out: Path, design: ScreenDesign, processes: int) -> SimulatedScreen:
    with CountBar("simulating wells") as bar:
        return simulate_screen(out, design, processes=processes, on_progress=bar.count)
