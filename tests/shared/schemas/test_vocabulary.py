"""Each term has words for people, a colour and an order, and is the plain text of its value in files."""

from __future__ import annotations

import json

import pytest
from gandl_shared import plates
from gandl_shared.schemas.vocabulary import Colour, Flag, ImageReason, Role, Term, Verdict

VOCABULARIES = [Verdict, Flag, ImageReason, Role]


@pytest.mark.parametrize("terms", VOCABULARIES)
def test_every_term_has_a_label_of_its_own_and_one_whole_sentence(terms: type[Term]) -> None:
    assert len({term.label for term in terms}) == len(terms)
    for term in terms:
        assert term.label and "_" not in term.label
        assert term.meaning[0].isupper() and term.meaning.endswith(".") and ". " not in term.meaning
        assert isinstance(term.colour, Colour)


@pytest.mark.parametrize("terms", VOCABULARIES)
def test_a_term_is_written_as_its_value(terms: type[Term]) -> None:
    for term in terms:
        assert terms(str(term)) is term
        assert f"{term}" == term.value == json.loads(json.dumps(term))


def test_the_order_is_that_of_the_definition_and_active_compounds_come_first() -> None:
    assert [verdict.order for verdict in Verdict] == [0, 1, 2, 3, 4]
    assert [verdict for verdict in Verdict if verdict.is_active] == list(Verdict)[:2]


def test_verdicts_differ_without_colour() -> None:
    assert len({verdict.mark for verdict in Verdict}) == len(Verdict)


def test_the_plate_map_uses_the_roles_of_the_vocabulary() -> None:
    assert plates.Role is Role
    assert [role for role in Role if role.is_control] == [Role.POSITIVE, Role.NEGATIVE]


def test_an_unknown_value_is_refused() -> None:
    with pytest.raises(ValueError, match="'dead' is not a valid Verdict"):
        Verdict("dead")
