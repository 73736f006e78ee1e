"""The analysis of a screen, step by step: from the vectors of its tiles to axes, efficacies, curves and quality.

It knows no queue, no database and no request. `gandl screen`, `gandl analyse` and the analysis task call `analyse` with
the same input and get the same numbers.
"""

from __future__ import annotations

from dataclasses import replace

from threadpoolctl import threadpool_limits

from gandl_analysis.pipeline.axes.checks import check_axes
from gandl_analysis.pipeline.axes.efficacy import score_efficacy
from gandl_analysis.pipeline.axes.off_axis_limit import rule_of_cell_line
from gandl_analysis.pipeline.axes.other_axes import (
    AxisSpace,
    efficacy_axis_scores,
    file_stems,
    other_axes,
    tile_positions,
)
from gandl_analysis.pipeline.axes.scale_error import scale_errors
from gandl_analysis.pipeline.curves.choices import check_curves
from gandl_analysis.pipeline.curves.compounds import fit_compounds
from gandl_analysis.pipeline.curves.settings import screen_settings
from gandl_analysis.pipeline.curves.weighting import screen_weights
from gandl_analysis.pipeline.image_qc import check_images
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.numerics import with_numerics_note
from gandl_analysis.pipeline.provenance import provenance_of
from gandl_analysis.pipeline.quality.identical_images import identical_images, with_identical_images, without_copies
from gandl_analysis.pipeline.quality.images import plates_by_cell_line, with_images
from gandl_analysis.pipeline.quality.normalisation import with_normalisation
from gandl_analysis.pipeline.quality.retrieval import with_retrieval
from gandl_analysis.pipeline.quality.screen import screen_quality
from gandl_analysis.pipeline.result import Analysed, ScreenAnalysis
from gandl_analysis.pipeline.scores.exclusions import left_out
from gandl_analysis.pipeline.scores.sites import site_scores, tile_efficacy, tile_off
from gandl_analysis.pipeline.scores.wells import well_scores
from gandl_analysis.pipeline.tiles import normalised_tiles, tiles_of


def analyse(screen: ScreenInput) -> Analysed:
    """Analyse a screen. The same input gives the same numbers, bit for bit on one machine with any number of cores.

    What people left out (`parameters.exclusions`) counts nowhere and is listed with their reasons.

    Raises NotEnoughData naming the cell line where an axis cannot be fitted or held-out controls cannot be scored, and
    Invalid where the axes that the parameters name, or those of an earlier screen, do not suit this one, or where its
    vectors were computed in ways that cannot be compared.
    """
    # The matrices are small: BLAS threads gain nothing, and on a busy machine they mostly wait for each other.
    with threadpool_limits(1, user_api="blas"):
        return _analyse(screen)


def _analyse(whole: ScreenInput) -> Analysed:
    decided = left_out(whole)
    screen = with_numerics_note(decided.without(whole))
    parameters, preparation, used = screen.parameters, screen.preparation, screen.used_wells
    check_axes(parameters, used, preparation, screen.earlier)
    check_curves(parameters, whole.used_wells)
    weights = screen_weights(parameters, used)

    image_qc = check_images(screen.profiles, used, parameters.image_qc, screen.card.channel_names)
    identical = identical_images(screen.profiles, used, image_qc.empty_sites)
    image_qc = without_copies(image_qc, identical, screen.profiles)
    raw = tiles_of(screen.profiles, used, image_qc)
    tiles = normalised_tiles(raw, parameters.normalisation)

    efficacy = score_efficacy(tiles, parameters, preparation, screen.earlier)
    cell_lines = efficacy.cell_lines
    wells = decided.mark_wells(well_scores(screen.wells, cell_lines.values(), image_qc), whole)

    settings = replace(screen_settings(parameters, screen.name), scale_errors=scale_errors(efficacy))
    off_axis = {name: rule_of_cell_line(cell_line) for name, cell_line in cell_lines.items()}
    quality = with_images(screen_quality(cell_lines, parameters), image_qc.plates, plates_by_cell_line(used))
    quality = with_identical_images(quality, identical)
    quality = with_normalisation(quality, raw, cell_lines, parameters)
    quality = with_retrieval(quality, screen)
    # An axis that no held-out control confirms points anywhere, so that a curve along it has no meaning.
    undirected = {name for name, group in quality.cell_lines.items() if group.at_chance}
    efficacies = decided.efficacies(whole, raw, cell_lines)
    curves = fit_compounds(
        wells,
        settings,
        off_axis,
        undirected,
        has_vehicle=parameters.vehicle,
        efficacies=efficacies,
        weights=weights,
    )

    space = AxisSpace(
        raw=raw.without_emptied, normalised=tiles.without_emptied, preparation=preparation, well_index=screen.well_index
    )
    efficacy_axes = efficacy_axis_scores(efficacy, quality.cell_lines, space, parameters)
    others = other_axes(space, parameters)

    analysis = ScreenAnalysis(
        wells=wells,
        curves=tuple(curves),
        quality=quality,
        parked=tuple(screen.parked),
        provenance=provenance_of(screen, cell_lines),
        axes=(*efficacy_axes.scores, *others.scores),
        notes=screen.notes,
    )
    n_tiles = len(screen.profiles)
    off, by_axis = tile_off(cell_lines.values(), n_tiles), tile_positions(others.tiles, n_tiles)
    return Analysed(
        analysis=analysis,
        sites=decided.mark_sites(site_scores(cell_lines.values(), image_qc.sites), whole),
        tile_efficacy=decided.spread(tile_efficacy(cell_lines.values(), n_tiles)),
        fits=file_stems([*efficacy_axes.fits, *others.fits]),
        tile_positions={name: decided.spread(values) for name, values in {"off": off, **by_axis}.items()},
    )
