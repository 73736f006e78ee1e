"""The states that are stored, and those that the service answers."""

from __future__ import annotations

from gandl_shared.schemas.states import OPEN_WORK, AnalysisState, SiteState, WorkState


def test_every_state_of_an_analysis_is_a_state_of_work_but_running_which_is_leased() -> None:
    assert {AnalysisState(state) for state in set(WorkState) - {WorkState.LEASED, WorkState.PARKED}} == set(
        AnalysisState
    ) - {AnalysisState.RUNNING}


def test_work_is_open_until_it_has_ended() -> None:
    ended = {WorkState.DONE, WorkState.PARKED, WorkState.FAILED, WorkState.CANCELLED}
    assert set(OPEN_WORK) == set(WorkState) - ended


def test_a_site_is_queued_done_or_parked_as_its_batch_can_be() -> None:
    assert set(map(str, SiteState)) <= set(map(str, WorkState))
