"""The section of decisions: forms in, versions and the trail out."""

from __future__ import annotations

import pytest
from gandl_analysis.pages.forms.decisions import request_of
from gandl_analysis.pages.forms.form import Form
from gandl_shared.errors import Invalid
from starlette.datastructures import FormData

from tests.analysis.pages.forms.pages_of import load, send, token_of
from tests.analysis.service.stack import Stack

WHO = {"reason": "a <b>bubble</b>", "author": "Ann"}


def work(stack: Stack) -> None:
    while stack.runs().run():
        pass


def test_a_well_is_left_out_compared_and_brought_back(stack: Stack) -> None:
    page = f"/ui/screens/{stack.first}/decisions"
    assert "Nobody has decided anything" in load(stack, page)
    well = stack.client.get(f"/screens/{stack.first}/wells?role=treatment&limit=1").json()["items"][0]
    # Fields of other levels are shown without a script and passed over.
    item = {"level": "well", "plate": well["plate"], "well": well["well"], "site": "", "compound": "X"}
    answer = send(stack, page, page, kind="exclude", **item, **WHO)
    assert f"well {well['well']} of plate {well['plate']}" in answer
    assert "a &lt;b&gt;bubble&lt;/b&gt;" in answer
    assert "A new version is being computed" in answer
    # The name of the person is offered with the next form.
    assert 'name="author" required maxlength="100" autocomplete="name" value="Ann"' in answer
    work(stack)
    compared = load(stack, f"/ui/compare?first={stack.first}&version=1&second={stack.first}&other_version=2")
    assert "have the same verdict" in compared
    # Paper has no form to choose others, so it needs no heading for it.
    assert '<section class="on-screen"><div class="wrap"><h2>Compare others</h2>' in compared
    versions = load(stack, f"/ui/screens/{stack.first}/analyses")
    assert "1 excluded" in versions
    assert "brought back" in send(stack, page, page, kind="restore", **item, reason="it was none", author="Ann")
    work(stack)
    assert "Nothing is left out." in load(stack, page)
    export = stack.client.get(f"{page}.csv")
    assert (export.headers["content-disposition"], export.text.count("\n")) == (
        f'attachment; filename="decisions-{stack.first}.csv"',
        3,
    )


def test_a_version_that_fails_is_said_on_the_page(stack: Stack) -> None:
    page = f"/ui/screens/{stack.first}/decisions"
    send(stack, page, page, kind="exclude", level="well", plate="P1", well="A05", **WHO)
    lease = stack.database.analyses.lease("test", 60)
    assert lease is not None
    stack.database.analyses.fail(lease, "too few controls have cells", final=True)
    answer = load(stack, page)
    assert "Version 2 could not be computed: Too few controls have cells" in answer
    assert "before and after" not in answer
    send(stack, page, page, kind="restore", level="well", plate="P1", well="A05", **WHO)
    work(stack)
    answer = load(stack, page)
    assert "could not be computed" not in answer
    assert "version=1&amp;second" in answer


def test_a_verdict_is_set_beside_a_curve_and_taken_back(stack: Stack) -> None:
    page = f"/ui/screens/{stack.first}/decisions"
    answer = send(stack, page, page, kind="assess", curve="1:XU2OS", verdict="toxic", ec50_um="", **WHO)
    assert "Set by people" in answer
    assert "beside X in U2OS" in answer
    answer = send(stack, page, page, kind="withdraw", compound="X", cell_line="U2OS", **WHO)
    assert "Set by people" not in answer


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"kind": "exclude", "level": "plate", "plate": "P9"}, "no plate"),
        ({"kind": "exclude", "level": "plate"}, "needs plate"),
        ({"kind": "exclude", "level": "universe"}, "level"),
        ({"kind": "exclude", "level": "dose", "compound": "X", "concentration_um": "many"}, "concentration_um"),
        ({"kind": "assess", "curve": "1:XU2OS"}, "give a verdict"),
        ({"kind": "assess", "curve": "99:XU2OS", "ec50_um": "1"}, "cell_line"),
        ({"kind": "", "level": "plate"}, "kind"),
    ],
)
def test_a_form_that_cannot_be_stored_says_which_field(
    shared_stack: Stack, fields: dict[str, str], message: str
) -> None:
    page = f"/ui/screens/{shared_stack.first}/decisions"
    answer = shared_stack.client.post(page, data={"csrf": token_of(load(shared_stack, page)), **fields, **WHO})
    assert answer.status_code == 422, answer.text
    assert message in answer.text.lower()


def test_every_form_needs_the_token_of_its_page(shared_stack: Stack) -> None:
    stack = shared_stack
    stack.client.get("/ui/")
    for action in ("decisions", "cancel", "retry", "delete", "analyses"):
        for fields in ({}, {"csrf": "x"}):
            page = f"/ui/screens/{stack.first}/{action}"
            answer = stack.client.post(page, data=fields, headers={"referer": f"http://testserver{page}"})
            assert answer.status_code == 403, action
            assert "too old or was sent by another site" in answer.text
            # The form in the history of the browser has the same token, so it must be loaded anew.
            assert "error.js" not in answer.text
    assert len(stack.database.analyses.of_screen(stack.first)) == 1


@pytest.mark.parametrize(
    ("text", "number"),
    [("0,25", "0.25"), ("1,5", "1.5"), ("12,0001", "12.0001"), ("1,500", "1,500"), ("0.25", "0.25"), ("", None)],
)
def test_a_decimal_comma_is_read_where_it_can_be_nothing_else(text: str, number: str | None) -> None:
    assert Form(FormData([("ec50_um", text)])).number("ec50_um") == number


@pytest.mark.parametrize("length", ["²", "9" * 5000, "-1", "x", ""])
def test_a_hostile_choice_of_a_curve_is_refused(length: str) -> None:
    fields = {"kind": "assess", "verdict": "toxic", "curve": f"{length}:X", **WHO}
    with pytest.raises(Invalid):
        request_of(Form(FormData(list(fields.items()))))


def test_a_second_decision_about_the_same_well_is_refused_and_given_back(stack: Stack) -> None:
    page = f"/ui/screens/{stack.first}/decisions"
    item = {"kind": "exclude", "level": "well", "plate": "P1", "well": "A05"}
    send(stack, page, page, **item, **WHO)
    typed = {
        "csrf": token_of(load(stack, page)),
        **item,
        "reason": "a long <i>reason</i>",
        "author": "Bob",
        "note": ["one", "two"],
    }
    answer = stack.client.post(page, data=typed)
    assert answer.status_code == 409
    assert "is left out already, by Ann in decision 1" in answer.text
    assert "bring it back first" in answer.text
    assert "<dt>reason</dt><dd>a long &lt;i&gt;reason&lt;/i&gt;</dd>" in answer.text
    assert "<dt>author</dt><dd>Bob</dd>" in answer.text
    assert "<dt>note</dt><dd>one, two</dd>" in answer.text
    assert typed["csrf"] not in answer.text
    answer = stack.client.post(page, data=typed, headers={"referer": f"http://testserver{page}"})
    assert "error.js" in answer.text
