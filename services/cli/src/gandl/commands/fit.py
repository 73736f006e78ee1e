"""`gandl fit`: dose-response curves for anybody's table."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from gandl_shared.errors import BadInput

if TYPE_CHECKING:
    from gandl_analysis.pipeline.curves import CurveSettings
    from gandl_science.dose_response.interpretation import ResponseScale
    from gandl_shared.schemas.curve import Curve


def fit(
    table: Annotated[
        Path,
        typer.Argument(
            help="CSV with compound, cell_line, concentration_um, response; plate, well, off_distance and excluded "
            "are used where present."
        ),
    ],
    *,
    out: Annotated[Path, typer.Option(help="File to write, one curve of the schema a line.")],
    plots: Annotated[Path | None, typer.Option(help="Folder for a plot (SVG) of each curve.")] = None,
    controls: Annotated[
        str | None,
        typer.Option(
            help="Responses of negative and positive control, such as -1,1 or 0,100. Without them the response has "
            "no unit: any significant change with dose counts as activity."
        ),
    ] = None,
    off_limit: Annotated[
        float | None, typer.Option(help="off_distance beyond which a dose has left the controls.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Level of the q-value for an active compound.")] = 0.05,
    bootstrap: Annotated[int, typer.Option(help="Resamples for the interval of each dose mean; 0 for none.")] = 1000,
    unit: Annotated[str, typer.Option(help="Unit of the concentrations, as it is told.")] = "uM",
    seed: Annotated[int, typer.Option(help="Seed of the simulated null and the bootstrap.")] = 0,
) -> None:
    """Fit a dose-response curve for each compound and cell line of a table."""
    from gandl_analysis.formats.response_table import read_responses
    from gandl_analysis.pipeline.curves import fit_wells

    settings = _settings(controls, alpha, bootstrap, unit, seed)
    _check_out(out)
    wells = read_responses(table)
    if plots is not None:
        _check_plots(plots)
    limits = {w.cell_line: off_limit for w in wells}
    curves = fit_wells(wells, settings, limits)
    _write(out, "".join(f"{curve.model_dump_json()}\n" for curve in curves))
    if plots is not None:
        _plot(plots, curves, settings.rules.scale)
    _summary(curves)


def _settings(controls: str | None, alpha: float, bootstrap: int, unit: str, seed: int) -> CurveSettings:
    from gandl_analysis.pipeline.curves import CurveSettings
    from gandl_science.dose_response.interpretation import ReadingRules
    from gandl_science.dose_response.results import CurveOptions

    if not 0 < alpha < 1:
        raise BadInput(f"--alpha {alpha:g} is not between 0 and 1")
    if bootstrap < 0 or seed < 0:
        raise BadInput(f"--bootstrap {bootstrap} and --seed {seed} must not be negative")
    rules = ReadingRules(alpha=alpha, scale=None if controls is None else _scale(controls))
    return CurveSettings(CurveOptions(n_bootstrap=bootstrap), rules, unit, None, seed)


def _scale(controls: str) -> ResponseScale:
    from gandl_science.dose_response.interpretation import ResponseScale

    try:
        negative, positive = (float(part) for part in controls.split(","))
        return ResponseScale(negative, positive)
    except ValueError as error:
        raise BadInput(f"--controls '{controls}': give two different numbers, such as -1,1") from error


def _check_out(out: Path) -> None:
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise BadInput(f"--out {out}: give a file in a folder that exists")
    try:
        _part(out).touch()
    except OSError as error:
        raise BadInput(f"--out {out} cannot be written: {error.strerror}") from error
    _part(out).unlink()


def _check_plots(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"--plots {folder} cannot be a folder: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise BadInput(f"--plots {folder} cannot be written; give another folder")


def _part(out: Path) -> Path:
    return out.with_name(f".{out.name}.part")


def _write(out: Path, text: str) -> None:
    """All of it or nothing."""
    half = _part(out)
    half.write_text(text, encoding="utf-8")
    half.replace(out)


def _plot(folder: Path, curves: Sequence[Curve], scale: ResponseScale | None) -> None:
    from gandl_analysis.figures.dose_response import dose_response_figure, to_svg

    label = "Efficacy" if scale is not None and (scale.negative, scale.positive) == (-1, 1) else "Response"
    midpoint = None if scale is None else scale.midpoint
    for name, curve in zip(plot_names(curves), curves, strict=True):
        figure = dose_response_figure(curve, response_label=label, midpoint=midpoint)
        (folder / name).write_text(to_svg(figure), encoding="utf-8")


def plot_names(curves: Sequence[Curve]) -> list[str]:
    """File names of the plots: cell line and compound in letters that every file system takes, numbered where two
    would be equal."""
    names: list[str] = []
    seen: dict[str, int] = {}
    for curve in curves:
        stem = "-".join(
            re.sub(r"[^\w.+]+", "_", part).strip("._")[:80] or "_" for part in (curve.cell_line, curve.compound)
        )
        seen[stem.lower()] = seen.get(stem.lower(), 0) + 1
        count = seen[stem.lower()]
        names.append(f"{stem}.svg" if count == 1 else f"{stem}~{count}.svg")
    return names


def _summary(curves: Sequence[Curve]) -> None:
    from gandl_analysis.figures.dose_response import ec50_text
    from rich.console import Console
    from rich.table import Table

    table = Table("compound", "cell line", "verdict", "EC50", "q", "flags")
    for curve in curves:
        q = "" if curve.q_value is None else f"{curve.q_value:.2g}"
        ec50 = ec50_text(curve.ec50).removeprefix("EC50 ")
        table.add_row(curve.compound, curve.cell_line, curve.verdict, ec50, q, ", ".join(curve.flags))
    Console().print(table)
