"""`gandl fit`: dose-response curves for a table from any source."""

from __future__ import annotations

import math
import os
import re
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from gandl_analysis.figures.texts import ec50_text
from gandl_analysis.formats.response_table import read_responses
from gandl_analysis.pipeline.curves.choices import curve_request
from gandl_analysis.pipeline.curves.settings import N_REPLICATIONS, CurveSettings
from gandl_analysis.pipeline.curves.table_fit import fit_table, table_roles
from gandl_analysis.pipeline.curves.weighting import Weighting, check_weighting
from gandl_science.dose_response.records.inputs import CurveOptions, ResponseScale
from gandl_science.dose_response.records.vocabulary import Null
from gandl_science.dose_response.verdict.interpretation import InterpretationRules
from gandl_shared.errors import BadInput
from gandl_shared.files.atomic import atomic_file, replace_files
from gandl_shared.schemas.curve import Curve
from rich.console import Console

from gandl.screening.curve_options import CurveShapeOptions, with_curve_options
from gandl.screening.noise_options import NullOption, RobustOption
from gandl.terminal.layout import add_row, new_table, print_table
from gandl.terminal.table_notes import Sheet, print_notes

if TYPE_CHECKING:
    from gandl_analysis.pipeline.curves.potency import PotencyRatio

_MAX_NAME = 80
_MAX_ROWS = 100


@with_curve_options
def fit(
    table: Annotated[
        Path,
        typer.Argument(
            help="File (CSV or .xlsx) with the columns compound, cell_line, concentration_um and response. The columns "
            "plate, well, off_distance and excluded are used where present."
        ),
    ],
    *,
    out: Annotated[
        Path, typer.Option(help="File to write: one curve per line, as JSON, or as CSV if its name ends in .csv.")
    ],
    tables: Annotated[
        Path | None,
        typer.Option(help="Folder for CSV tables of the curves, their wells, lines with bands, and covariances."),
    ] = None,
    plots: Annotated[Path | None, typer.Option(help="Folder for one plot (SVG) per curve.")] = None,
    controls: Annotated[
        str | None,
        typer.Option(
            help="Responses of the negative and the positive control, such as -1,1 or 0,100, or the names of two "
            "compounds of the table whose means they are, such as DMSO,Nocodazole. Without them the response has no "
            "unit, and any significant change with dose counts as activity."
        ),
    ] = None,
    absolute: Annotated[
        float | None,
        typer.Option(
            help="Response at which the absolute EC50 is read, in the unit of the response. Without it the midpoint of "
            "the controls is taken."
        ),
    ] = None,
    vehicle: Annotated[
        str | None,
        typer.Option(
            help="Compound of the table that is the zero dose of every other one on its plates, such as DMSO."
        ),
    ] = None,
    reference: Annotated[
        str | None,
        typer.Option(help="Compound to which the potency of the others is related, with a test of parallel curves."),
    ] = None,
    off_limit: Annotated[
        float | None, typer.Option(help="The off_distance beyond which the wells of a dose differ from both controls.")
    ] = None,
    alpha: Annotated[float, typer.Option(help="Level of the q-value below which a compound is active.")] = 0.05,
    null: NullOption = Null.AUTOMATIC,
    robust: RobustOption = True,
    bootstrap: Annotated[
        int, typer.Option(help="Number of resamples for the interval of each dose mean; 0 for no interval.")
    ] = 1000,
    replications: Annotated[
        int, typer.Option(help="Number of simulated new experiments for the hit probability; 0 for none.")
    ] = N_REPLICATIONS,
    unit: Annotated[
        str | None,
        typer.Option(
            help="Unit of output and plots, and of a column `concentration`, whose name states none; uM if absent. "
            "Columns with a molar unit, such as concentration_nM, are converted to it."
        ),
    ] = None,
    weights: Annotated[
        str,
        typer.Option(
            help="Weights of the wells: `none`, the `column` weight, or an error that grows with the fitted response: "
            "`1/y` (its variance) or `1/y^2` (its standard deviation)."
        ),
    ] = "none",
    sheet: Sheet = None,
    seed: Annotated[int, typer.Option(help="Seed of the simulated null and the bootstrap.")] = 0,
    shape: CurveShapeOptions,
) -> None:
    """Fit a dose-response curve for each compound and cell line of a table."""
    scale, roles = table_roles(controls, vehicle)
    settings = replace(
        _settings(
            scale,
            alpha=alpha,
            bootstrap=bootstrap,
            replications=replications if weights == Weighting.NONE else 0,
            unit=unit or "uM",
            seed=seed,
            absolute=absolute,
            null=null,
            robust=robust,
        ),
        weighting=_weighting(weights),
        request=curve_request(shape.choice, prefix="--"),
    )
    _check_out(out)
    has_weights = settings.weighting is Weighting.COLUMN
    if has_weights and null not in (Null.AUTOMATIC, Null.NORMAL):
        raise BadInput(f"--null {null} and --weights column exclude each other: weights say how each well scatters")
    if reference is not None and settings.weighting is not Weighting.NONE:
        raise BadInput("--reference and --weights exclude each other: potency ratios are computed without weights")
    responses = read_responses(table, unit=unit, sheet=sheet, has_weights=has_weights)
    print_notes(responses.notes)
    wells = responses.wells
    check_weighting(wells, settings.weighting)
    # After the table was read, so that a bad table leaves no empty folder; before the fit, which takes long.
    for option, folder in (("--plots", plots), ("--tables", tables)):
        if folder is not None:
            _prepare_folder(option, folder)
    curves = fit_table(wells, settings, roles, off_limit)
    ratios = None if reference is None else _potency_ratios(curves, reference)
    _write(out, curves)
    if tables is not None:
        _write_tables(tables, curves, ratios)
    if plots is not None:
        _plot(plots, curves, settings.rules.scale)
    _print_summary(curves, out)
    if ratios is not None:
        from gandl.terminal.curve_tables import print_potency_ratios  # noqa: PLC0415 - only where there are any

        print_potency_ratios(ratios)


def _settings(
    scale: ResponseScale | None,
    *,
    alpha: float,
    bootstrap: int,
    replications: int,
    unit: str,
    seed: int,
    absolute: float | None,
    null: Null,
    robust: bool,
) -> CurveSettings:
    if not 0 < alpha < 1:
        raise BadInput(f"--alpha {alpha:g} is not between 0 and 1")
    for option, number in (("--bootstrap", bootstrap), ("--replications", replications), ("--seed", seed)):
        if number < 0:
            raise BadInput(f"{option} {number} must not be negative")
    if absolute is not None and not math.isfinite(absolute):
        raise BadInput(f"--absolute {absolute:g} is not a response; give a number such as 50")
    return CurveSettings(
        options=CurveOptions(n_bootstrap=bootstrap, n_replications=replications, null=null, robust=robust),
        rules=InterpretationRules(alpha=alpha, scale=scale),
        absolute_level=absolute,
        unit=unit,
        seed=seed,
    )


def _weighting(text: str) -> Weighting:
    """Return the weights that `--weights` names."""
    if text.replace(" ", "").lower() in ("1/sd^2", "1/sd2", "1/sd"):
        raise BadInput(
            f"--weights {text}: a standard deviation of a few replicates is itself so uncertain that some wells "
            "would weigh a hundred times more by chance; give 1/y^2, or weights of your own in the column weight"
        )
    try:
        return Weighting(text)
    except ValueError as error:
        raise BadInput(f"--weights '{text}' is unknown; use {', '.join(Weighting)}") from error


def _check_out(out: Path) -> None:
    """Raise BadInput unless a file can be written there, before the time of a fit is spent."""
    if out.is_dir() or not out.absolute().parent.is_dir():
        raise BadInput(f"--out {out}: give a file in a folder that exists")
    try:
        with tempfile.TemporaryFile(dir=out.absolute().parent):
            pass
    except OSError as error:
        raise BadInput(f"--out {out} cannot be written: {error.strerror}") from error


def _prepare_folder(option: str, folder: Path) -> None:
    """Create a folder for output. Raise BadInput if it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BadInput(f"{option} {folder} cannot be a folder: {error.strerror}") from error
    if not os.access(folder, os.W_OK):
        raise BadInput(f"{option} {folder} cannot be written; give another folder")


def _potency_ratios(curves: Sequence[Curve], reference: str) -> list[PotencyRatio]:
    from gandl_analysis.pipeline.curves.potency import potency_ratios, reference_name  # noqa: PLC0415 - rarely used

    return potency_ratios(curves, reference_name(curves, reference))


def _write(out: Path, curves: Sequence[Curve]) -> None:
    """Write the curves as CSV if the file is named so, otherwise one per line as JSON."""
    with atomic_file(out) as file:
        if out.suffix.lower() == ".csv":
            from gandl_analysis.formats.tables.curves import curves_csv  # noqa: PLC0415 - it loads the schemas of screens

            file.write(curves_csv(curves).encode())
        else:
            file.writelines(f"{curve.model_dump_json()}\n".encode() for curve in curves)


def _write_tables(folder: Path, curves: Sequence[Curve], ratios: Sequence[PotencyRatio] | None) -> None:
    from gandl_analysis.formats.tables.csv_text import delete_table  # noqa: PLC0415 - as above
    from gandl_analysis.formats.tables.curves import (  # noqa: PLC0415 - as above
        POTENCY_COLUMNS,
        curve_files,
        potency_csv,
    )

    files = curve_files(curves) | ({} if ratios is None else {"potency_ratios.csv": potency_csv(ratios)})
    replace_files(folder, {name: text.encode() for name, text in files.items()})
    if ratios is None:
        # Ratios of an earlier fit would stand beside curves that they do not belong to.
        delete_table(folder / "potency_ratios.csv", POTENCY_COLUMNS)


def _plot(folder: Path, curves: Sequence[Curve], scale: ResponseScale | None) -> None:
    from gandl_analysis.figures.dose_response import dose_response_figure  # noqa: PLC0415 - matplotlib starts slowly
    from gandl_analysis.figures.svg import to_svg  # noqa: PLC0415 - the same

    is_efficacy = scale is not None and (scale.negative, scale.positive) == (-1, 1)
    for name, curve in zip(plot_names(curves), curves, strict=True):
        label = "Efficacy" if is_efficacy else "Response"
        figure = dose_response_figure(curve, response_label=label, midpoint=curve.absolute_level)
        (folder / name).write_text(to_svg(figure), encoding="utf-8")


def plot_names(curves: Sequence[Curve]) -> list[str]:
    """Return the file name of each plot: cell line and compound, in letters that every file system accepts.

    Names that would be equal (also in another case) are numbered.
    """
    names: list[str] = []
    counts: Counter[str] = Counter()
    for curve in curves:
        stem = f"{_safe(curve.cell_line)}-{_safe(curve.compound)}"
        # Some file systems do not distinguish upper from lower case.
        counts[stem.lower()] += 1
        count = counts[stem.lower()]
        names.append(f"{stem}.svg" if count == 1 else f"{stem}~{count}.svg")
    return names


def _safe(text: str) -> str:
    """Return a name as part of a file name, which is never empty and never hidden."""
    return re.sub(r"[^\w.+]+", "_", text).strip("._")[:_MAX_NAME] or "_"


def _print_summary(curves: Sequence[Curve], out: Path) -> None:
    table = new_table("compound", "cell line", "verdict", "EC50", "q", "hit again", "flags")
    # A terminal table of thousands of rows takes as long as their fits, and nobody reads it.
    printed = curves if len(curves) <= _MAX_ROWS else _first_by_rank(curves)
    for curve in printed:
        q_value = "" if curve.q_value is None else f"{curve.q_value:.2g}"
        ec50 = ec50_text(curve.ec50).removeprefix("EC50 ")
        again = "" if curve.hit_probability is None else f"{100 * curve.hit_probability:.0f} %"
        add_row(table, curve.compound, curve.cell_line, curve.verdict, ec50, q_value, again, ", ".join(curve.flags))
    print_table(table, Console())
    if len(printed) < len(curves):
        typer.echo(f"The first {len(printed)} of {len(curves)} curves by rank; {out} holds all")


def _first_by_rank(curves: Sequence[Curve]) -> list[Curve]:
    from gandl_analysis.pipeline.ranking import rank_curves  # noqa: PLC0415 - small tables are printed whole

    return [ranked.curve for ranked in rank_curves(curves)[:_MAX_ROWS]]
