"""What a submission writes and announces, and what is left when it is refused."""

from __future__ import annotations

import pytest
from gandl_analysis.formats.store_layout import read_card
from gandl_analysis.service.submissions import SubmissionRules, Submissions
from gandl_shared.errors import BadInput, Conflict, Forbidden, Invalid, NotFound
from gandl_shared.schemas.analysis import AnalysisParameters
from gandl_shared.schemas.screen import ScreenRequest, ScreenState

from tests.analysis.service.stack import Stack

REQUEST = ScreenRequest(name="new", images="plate/Images", plate_map="plate/platemap.csv")


def submissions_of(stack: Stack) -> Submissions:
    rules = SubmissionRules(image_root=stack.settings.image_root, models=stack.models, max_headers=10)
    return Submissions(stack.database, stack.store, stack.queue, rules)


def test_a_submitted_screen_is_stored_with_its_card_and_announced(stack: Stack) -> None:
    status = submissions_of(stack).submit(REQUEST)
    assert (status.name, status.state, status.progress.sites) == ("new", ScreenState.QUEUED, 64)
    assert read_card(stack.store, status.id) == stack.models.embedder.card
    assert len(stack.queue.batches) > 0
    assert stack.queue.analyses == []


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"images": ".."}, Forbidden),
        ({"model": "unknown"}, NotFound),
        ({"name": "a\0b"}, Invalid),
        ({"channels": ("1", "2\0")}, Invalid),
        ({"plate_map": None, "plate_map_csv": "plate,well"}, Invalid),
    ],
)
def test_a_refused_screen_leaves_nothing(stack: Stack, change: dict[str, object], error: type[Exception]) -> None:
    before = stack.ids
    with pytest.raises(error):
        submissions_of(stack).submit(REQUEST.model_copy(update=change))
    assert (stack.ids, stack.queue.batches) == (before, [])


def test_a_baseline_is_refused_with_where_it_can_be_had(stack: Stack) -> None:
    with pytest.raises(NotFound, match=r"'intensity' is a baseline.*gandl screen IMAGES.*--like.*POST /analyses"):
        submissions_of(stack).submit(REQUEST.model_copy(update={"model": "intensity"}))
    with pytest.raises(NotFound, match=r"there is no model 'unknown'; available is fake$"):
        submissions_of(stack).submit(REQUEST.model_copy(update={"model": "unknown"}))


def test_an_error_names_the_folder_of_the_images_as_the_request_does(stack: Stack) -> None:
    with pytest.raises(BadInput, match="fits pattern") as caught:
        submissions_of(stack).submit(REQUEST.model_copy(update={"pattern": "{well}.none"}))
    assert f"no image in {REQUEST.images} fits" in caught.value.detail
    assert str(stack.settings.image_root) not in caught.value.detail


def test_a_nul_is_named_by_its_field(stack: Stack) -> None:
    with pytest.raises(Invalid) as caught:
        submissions_of(stack).submit(REQUEST.model_copy(update={"pattern": "a\0", "channels": ("1", "2\0")}))
    assert [problem.field for problem in caught.value.problems] == ["pattern", "channels.1"]


def test_pages_are_newest_first(stack: Stack) -> None:
    page = submissions_of(stack).page(1, 1)
    assert ([status.name for status in page.items], page.total, page.offset, page.limit) == (["second"], 3, 1, 1)


def test_another_analysis_is_queued_under_the_next_version(stack: Stack) -> None:
    submissions = submissions_of(stack)
    version = submissions.analyse(stack.first, AnalysisParameters(seed=4))
    assert (version.version, version.state, version.parameters.seed) == (2, "queued", 4)
    assert len(stack.queue.analyses) == 1
    assert [entry.version for entry in submissions.analyses(stack.first)] == [1, 2]
    with pytest.raises(Conflict):
        submissions.analyse(stack.waiting, AnalysisParameters())


def test_a_deleted_screen_is_gone_from_database_and_store(stack: Stack) -> None:
    submissions, screen = submissions_of(stack), stack.first
    submissions.delete(screen)
    assert not (stack.home / "store" / screen).exists()
    with pytest.raises(NotFound):
        submissions.status(screen)
    with pytest.raises(NotFound):
        submissions.delete("../store")
