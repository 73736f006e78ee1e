"""A stored result is read back, also one that another version wrote."""

from __future__ import annotations

import json

from gandl_analysis.pipeline.result import AnalysisProvenance, ScreenAnalysis, VectorProvenance

from tests.analysis.example.screen import example_analysis


def test_a_result_comes_back_from_json() -> None:
    analysis = example_analysis()
    assert ScreenAnalysis.model_validate_json(analysis.model_dump_json()) == analysis


def test_fields_of_a_later_version_are_ignored_and_missing_defaults_are_filled() -> None:
    stored = json.loads(example_analysis().provenance.model_dump_json())
    del stored["limits_from"]
    provenance = AnalysisProvenance.model_validate({**stored, "later": 1})
    assert (provenance.limits_from, provenance.screen_name) == ("plate", stored["screen_name"])


def test_the_provenance_of_vectors_is_a_part_of_that_of_the_analysis() -> None:
    provenance = example_analysis().provenance
    vectors = VectorProvenance.model_validate(provenance.model_dump())
    assert (vectors.model_id, vectors.limits) == (provenance.model_id, provenance.limits)
