"""Words of roles, alone and together."""

from __future__ import annotations

import pytest
from gandl_shared.plates.map_table.roles import ROLE_NAMES, role_key, role_of
from gandl_shared.schemas.vocabulary import Role

JUMP = {
    ("trt", ""): Role.TREATMENT,
    ("control", "negcon"): Role.NEGATIVE,
    ("control", "poscon"): Role.POSITIVE,
    ("control", "poscon_cp"): Role.POSITIVE,
    ("control", "poscon_diverse"): Role.POSITIVE,
    ("control", "poscon_orf"): Role.POSITIVE,
    ("", "empty"): Role.EMPTY,
    ("", "NA"): None,
}


@pytest.mark.parametrize(("texts", "role"), JUMP.items())
def test_the_columns_of_jump_in_either_order(texts: tuple[str, str], role: Role | None) -> None:
    assert role_of(texts) is role
    assert role_of(texts[::-1]) is role


@pytest.mark.parametrize("text", ["Negative Control", "NEGATIVE-CONTROL", "negative_control", " Negative  control"])
def test_case_blanks_and_dashes_do_not_matter(text: str) -> None:
    assert role_of([text]) is Role.NEGATIVE


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        (("trt", "negcon"), "the roles 'trt' and 'negcon' contradict each other"),
        (("control", "trt"), "contradict each other"),
        (("poscon", "negcon"), "contradict each other"),
        (("control",), "'control' does not say which control"),
        (("helper",), "unknown role 'helper'"),
    ],
)
def test_what_is_unclear_is_refused(texts: tuple[str, ...], words: str) -> None:
    with pytest.raises(ValueError, match=words):
        role_of(texts)


def test_every_word_is_written_as_it_is_compared() -> None:
    assert all(role_key(word) == word for word in ROLE_NAMES)
