"""What is asked of an analysis, checked against its wells and against earlier screens before it is accepted."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from gandl_shared.db import Database
from gandl_shared.errors import Conflict, Invalid, NotFound, Problem, raise_if
from gandl_shared.models import ModelCard
from gandl_shared.plates import Well
from gandl_shared.schemas.analysis import AnalysisParameters, AxisFrom
from gandl_shared.store import Store

from gandl_analysis.formats.store_layout import read_axes
from gandl_analysis.pipeline.axes.stored_axes import preparation
from gandl_analysis.pipeline.checks import check_axes
from gandl_analysis.service.results import finished_version


@dataclass(frozen=True)
class Subject:
    """What an analysis is about: the used wells, and how their vectors are or will be made."""

    wells: Sequence[Well]
    card: ModelCard
    model_id: str
    limits: str


def checked(parameters: AnalysisParameters, subject: Subject, database: Database, store: Store) -> AnalysisParameters:
    """The parameters as they are to be stored: with the version of the axes they take from another screen.

    Raises Invalid naming the field where groups of wells are not there, or the axes cannot be used here: another model,
    images or plates prepared differently, a cell line without an axis, a file that was changed.
    """
    made = preparation(subject.card, subject.model_id, subject.limits, parameters)
    if parameters.axis_from is None:
        check_axes(parameters, subject.wells, made, None)
        return parameters
    version = _version(parameters.axis_from, database)
    check_axes(parameters, subject.wells, made, read_axes(store, parameters.axis_from.screen, version))
    noted = parameters.axis_from.model_copy(update={"version": version})
    return parameters.model_copy(update={"axis_from": noted})


def _version(chosen: AxisFrom, database: Database) -> int:
    try:
        return finished_version(database, chosen.screen, chosen.version)
    except (NotFound, Conflict) as error:
        raise_if([Problem(error.detail, field="axis_from")], Invalid, "there are no such axes")
        raise
