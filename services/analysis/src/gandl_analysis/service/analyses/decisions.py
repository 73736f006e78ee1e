"""Decisions of people about the results of a screen: checked, stored in its trail, and analysed as a new version."""

from __future__ import annotations

from collections.abc import Sequence

from gandl_shared.db import Database, exclusion_of, standing_assessments, standing_exclusions
from gandl_shared.errors import Conflict, Invalid, Problem, raise_if
from gandl_shared.jobs import Queue
from gandl_shared.schemas.analysis import AnalysisParameters, Exclusion
from gandl_shared.schemas.analysis.decisions import Decision, DecisionKind, DecisionRequest, DecisionTrail
from gandl_shared.schemas.curve import CurveAssessment
from gandl_shared.schemas.states import AnalysisState
from gandl_shared.store import Store

from gandl_analysis.formats.store_layout import read_compounds, read_sites
from gandl_analysis.pipeline.scores.exclusions import SiteKey, check_exclusions
from gandl_analysis.service.analyses.parameters import check_again
from gandl_analysis.service.models import ModelCatalog
from gandl_analysis.service.results import finished_version
from gandl_analysis.service.screen_ids import require_screen_id

_ENDED_WITHOUT_RESULT = (AnalysisState.FAILED, AnalysisState.CANCELLED)


class Decisions:
    """The trails of all screens. Methods raise NotFound for a screen that is not there."""

    def __init__(self, database: Database, store: Store, queue: Queue, models: ModelCatalog) -> None:
        self._database, self._store, self._queue, self._models = database, store, queue, models

    def trail(self, screen: str) -> DecisionTrail:
        """Return all decisions about a screen, and what stands after them."""
        decisions = self._database.decisions.of_screen(require_screen_id(screen))
        return DecisionTrail(
            screen=screen,
            decisions=decisions,
            excluded=tuple(exclusion.item for exclusion in standing_exclusions(decisions)),
            assessments=standing_assessments(decisions),
        )

    def assessments(self, screen: str) -> tuple[CurveAssessment, ...]:
        """Return what stands beside the curves of a screen."""
        return self._database.decisions.assessments(require_screen_id(screen))

    def decide(self, screen: str, request: DecisionRequest) -> Decision:
        """Store a decision; an exclusion or its end queues a new version of the analysis.

        Raises Invalid for what the screen does not have or for too few remaining controls, and Conflict for something
        that is excluded already, that is not excluded, or that somebody else decided about meanwhile.
        """
        decisions = self._database.decisions.of_screen(require_screen_id(screen))
        number = len(decisions) + 1
        if not request.kind.makes_version:
            assessment = self._with_checked_curve(screen, request, decisions)
            return self._database.decisions.record(screen, assessment, number=number, parameters=None).decision
        exclusions = _after(request, decisions, number)
        check_exclusions(_new(exclusions, number), self._database.screens.wells(screen), self._sites(screen))
        earlier = self._parameters(screen, request.version)
        parameters = earlier.model_copy(update={"exclusions": exclusions})
        checked_parameters = check_again(screen, parameters, self._database, self._store, self._models)
        recorded = self._database.decisions.record(screen, request, number=number, parameters=checked_parameters)
        if recorded.analysis_id is not None:
            self._queue.analysis_ready(recorded.analysis_id)
        return recorded.decision

    def _parameters(self, screen: str, version: int | None) -> AnalysisParameters:
        """Return the parameters of a version, or of the newest one that has not failed."""
        if version is not None:
            return self._database.analyses.get(screen, version).parameters
        records = self._database.analyses.of_screen(screen)
        usable = [record.parameters for record in records if record.state not in _ENDED_WITHOUT_RESULT]
        return usable[-1] if usable else self._database.screens.get(screen).request.analysis

    def _sites(self, screen: str) -> frozenset[SiteKey] | None:
        """Return the fields of view with vectors by the newest result; None before the first one."""
        try:
            version = finished_version(self._database, screen, None)
        except Conflict:
            return None
        return frozenset((site.plate, site.well, site.site) for site in read_sites(self._store, screen, version))

    def _with_checked_curve(
        self, screen: str, request: DecisionRequest, decisions: Sequence[Decision]
    ) -> DecisionRequest:
        """Return the request with the version that it is about. Raises Invalid for a curve that this does not have."""
        version, curve = finished_version(self._database, screen, request.version), request.curve
        if curve is None:
            raise Invalid(f"{request.kind} needs a curve")
        key = curve.compound, curve.cell_line
        if key not in {(c.compound, c.cell_line) for c in read_compounds(self._store, screen, version)}:
            detail = f"version {version} has no curve of '{curve.compound}' in cell line '{curve.cell_line}'"
            raise_if([Problem(detail, field="curve")], Invalid, "the decision cannot be stored")
        standing = {(c.compound, c.cell_line) for c in standing_assessments(decisions)}
        if request.kind is DecisionKind.WITHDRAW and key not in standing:
            raise Conflict(f"nothing was set beside the curve of '{curve.compound}' in cell line '{curve.cell_line}'")
        return request.model_copy(update={"version": version})


def check_recorded(exclusions: Sequence[Exclusion], decisions: Sequence[Decision]) -> None:
    """Raise Invalid for exclusions that are in no decision of the trail: nothing is left out without a trace."""
    recorded = {
        exclusion_of(item, decision)
        for decision in decisions
        if decision.kind is DecisionKind.EXCLUDE
        for item in decision.items
    }
    advice = "send the decision to POST /screens/{id}/decisions, and leave exclusions out of the parameters"
    problems = [
        Problem(f"{exclusion} is in no decision of this screen; {advice}", field=f"exclusions.{i}")
        for i, exclusion in enumerate(exclusions)
        if exclusion not in recorded
    ]
    raise_if(problems, Invalid, "the exclusions were not decided")


def _after(request: DecisionRequest, decisions: Sequence[Decision], number: int) -> tuple[Exclusion, ...]:
    """Return what stands excluded after the request. Raises Conflict where it changes nothing."""
    standing = {exclusion.item: exclusion for exclusion in standing_exclusions(decisions)}
    for item in request.items:
        if request.kind is DecisionKind.EXCLUDE:
            if item in standing:
                earlier = standing[item]
                raise Conflict(
                    f"{item} is left out already, by {earlier.author} in decision {earlier.decision} "
                    f"({earlier.reason}). Nothing was changed; to leave it out with another reason, bring it back first"
                )
            fields = item.model_dump()
            standing[item] = Exclusion(**fields, reason=request.reason, author=request.author, decision=number)
        elif standing.pop(item, None) is None:
            raise Conflict(f"{item} is not excluded, so it cannot be brought back; GET the decisions for what is")
    return tuple(standing.values())


def _new(exclusions: Sequence[Exclusion], number: int) -> list[Exclusion]:
    return [exclusion for exclusion in exclusions if exclusion.decision == number]
