"""Check the parameters of an analysis against its wells and earlier screens before the analysis is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gandl_shared.db import Database
from gandl_shared.errors import Conflict, Invalid, NotFound, Problem, raise_if
from gandl_shared.models import VectorCard
from gandl_shared.plates import Well
from gandl_shared.schemas.analysis import AnalysisParameters, AxisFrom
from gandl_shared.store import Store

from gandl_analysis.formats.store_layout import read_axes, read_card
from gandl_analysis.pipeline.axes.checks import check_axes, check_controls
from gandl_analysis.pipeline.curves.choices import check_curves
from gandl_analysis.pipeline.inputs import Preparation, limits_of
from gandl_analysis.pipeline.scores.exclusions import wells_that_count
from gandl_analysis.service.models import ModelCatalog
from gandl_analysis.service.results import finished_version


@dataclass(frozen=True, kw_only=True)
class AnalysisSubject:
    """What an analysis is about: the used wells, and how their vectors are or will be computed."""

    wells: Sequence[Well]
    card: VectorCard
    model_id: str
    limits: str


def check_parameters(
    parameters: AnalysisParameters, subject: AnalysisSubject, database: Database, store: Store
) -> AnalysisParameters:
    """Return the parameters as they are stored: with the version of the axes that they take from another screen.

    Raises Invalid naming the field if a group of wells does not exist, or if the axes cannot be used here: they belong
    to another model, their images or plates were prepared differently, a cell line has no axis, or a file was changed.
    """
    # Contradictory limits and missing weights are refused now, not by the worker.
    check_curves(parameters, subject.wells)
    preparation = Preparation(
        model_id=subject.model_id,
        card=subject.card,
        limits=subject.limits,
        normalisation=parameters.normalisation,
    )
    if parameters.axis_from is None:
        check_axes(parameters, subject.wells, preparation, None)
        return parameters
    version = _axes_version(parameters.axis_from, database)
    check_axes(parameters, subject.wells, preparation, read_axes(store, parameters.axis_from.screen, version))
    # The version is recorded now: "the newest" would be another one when the worker reads it.
    axis_from = parameters.axis_from.model_copy(update={"version": version})
    return parameters.model_copy(update={"axis_from": axis_from})


def check_again(
    screen: str, parameters: AnalysisParameters, database: Database, store: Store, models: ModelCatalog
) -> AnalysisParameters:
    """Return `check_parameters` of another analysis of a screen.

    Raises Invalid too where the exclusions leave too few controls for an axis.
    """
    record, used = database.screens.get(screen), database.screens.plate_map(screen).used
    card = read_card(store, screen) or models.find(record.model.name).card
    if parameters.exclusions:
        remaining = wells_that_count(used, parameters.exclusions)
        if not remaining:
            raise Invalid("the exclusions leave no well; bring one back")
        if parameters.axis_from is None:
            check_controls(remaining, "the exclusions leave too few controls")
    subject = AnalysisSubject(
        wells=used, card=card, model_id=record.model.id, limits=limits_of(card, record.request.limits)
    )
    return check_parameters(parameters, subject, database, store)


def refuse_exclusions(parameters: AnalysisParameters) -> None:
    """Raise Invalid for exclusions of a screen that is only submitted: there is no decision about it yet."""
    if parameters.exclusions:
        problem = Problem("a new screen has no decisions; exclude after it was analysed", field="analysis.exclusions")
        raise_if([problem], Invalid, "the screen cannot be analysed so")


def _axes_version(axis_from: AxisFrom, database: Database) -> int:
    try:
        return finished_version(database, axis_from.screen, axis_from.version)
    except (NotFound, Conflict) as error:
        # The screen in the parameters is a wrong value of the request, not the screen that the path names.
        raise_if([Problem(error.detail, field="axis_from")], Invalid, "there are no such axes")
        raise
