"""Query parameters become filters and pages."""

from __future__ import annotations

import pytest
from gandl_analysis.api.parameters import HitsQuery, PageQuery, WellsQuery, content
from gandl_analysis.service.filters import HitFilter, WellFilter
from gandl_shared.schemas.vocabulary import Role, Verdict
from pydantic import ValidationError


@pytest.mark.parametrize(
    ("limit", "offset", "items"), [(2, 0, (0, 1)), (2, 4, (4,)), (2, 5, ()), (100, 0, (0, 1, 2, 3, 4))]
)
def test_a_page_is_a_part_of_the_list(limit: int, offset: int, items: tuple[int, ...]) -> None:
    page = PageQuery(limit=limit, offset=offset).page(range(5))
    assert (page.items, page.total, page.limit, page.offset) == (items, 5, limit, offset)


@pytest.mark.parametrize("fields", [{"limit": 0}, {"limit": 10_001}, {"offset": -1}, {"offset": 2**31}, {"page": 1}])
def test_a_page_has_bounds(fields: dict[str, int]) -> None:
    with pytest.raises(ValidationError):
        PageQuery.model_validate(fields)


def test_wells_are_filtered_by_what_the_query_names() -> None:
    assert WellsQuery().filter == WellFilter()
    query = WellsQuery.model_validate({"role": "treatment", "plate": "P1", "compound": "X", "cell_line": "U2OS"})
    assert query.filter == WellFilter(role=Role.TREATMENT, plate="P1", compound="X", cell_line="U2OS")


def test_hits_are_filtered_by_what_the_query_names() -> None:
    assert HitsQuery().filter == HitFilter()
    query = HitsQuery.model_validate({"verdict": ["active", "toxic"], "max_q": 0.05, "min_emax": 0.5})
    verdicts = frozenset({Verdict.ACTIVE, Verdict.TOXIC})
    assert query.filter == HitFilter(verdicts=verdicts, max_q=0.05, min_emax=0.5)


@pytest.mark.parametrize("fields", [{"max_q": 1.1}, {"min_emax": "nan"}, {"verdict": ["good"]}, {"cell_line": "a\0b"}])
def test_values_that_no_hit_has_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        HitsQuery.model_validate(fields)


def test_the_order_of_parameters_is_that_of_the_specification() -> None:
    assert list(WellsQuery.model_fields) == ["version", "role", "plate", "cell_line", "compound", "limit", "offset"]


def test_documented_contents() -> None:
    assert content("text/csv")[200]["content"] == {"text/csv": {"schema": {"type": "string"}}}
