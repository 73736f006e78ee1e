"""Vectors that were computed in several ways are refused, or told in the notes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from gandl_analysis.pipeline.inputs import ScreenInput
from gandl_analysis.pipeline.numerics import with_numerics_note
from gandl_analysis.pipeline.provenance import provenance_of
from gandl_shared.errors import Invalid
from gandl_shared.models.numerics import full_key

from tests.analysis.scored_cell_lines import scored_cell_line
from tests.analysis.simulated_screens import Simulated

AVX2, AVX512, CUDA, BFLOAT16 = (
    "cpu.float32.avx2.ort.16",
    "cpu.float32.avx512.ort.16",
    "cuda.float32.h200.ort.512",
    "openvino.bfloat16.amx.ov.16",
)


def computed(screen: ScreenInput, *codes: str) -> ScreenInput:
    """Return the screen with its vectors computed in these ways, tile by tile."""
    contents = [f"{n:064x}" for n in range(len(screen.profiles))]
    ways = [codes[n % len(codes)] for n in range(len(contents))]
    keys = [full_key(content, way) if way else content for content, way in zip(contents, ways, strict=True)]
    return replace(screen, profiles=replace(screen.profiles, keys=np.array(keys, object)))


@pytest.fixture(scope="module")
def screen() -> ScreenInput:
    return Simulated().screen()


@pytest.mark.parametrize("codes", [(AVX2,), ("",)])
def test_one_way_needs_no_word(screen: ScreenInput, codes: tuple[str, ...]) -> None:
    alike = computed(screen, *codes)
    assert with_numerics_note(alike) is alike


@pytest.mark.parametrize("codes", [(AVX2, AVX512), (AVX2, ""), ("", CUDA)])
def test_devices_of_one_kind_are_told_once(screen: ScreenInput, codes: tuple[str, ...]) -> None:
    noted = with_numerics_note(computed(screen, *codes))
    assert "computed in 2 ways, which agree to about 1e-6" in noted.notes[-1]
    assert all((code or "unrecorded") in noted.notes[-1] for code in codes)
    assert with_numerics_note(noted) is noted


@pytest.mark.parametrize("codes", [(AVX2, CUDA), (AVX2, BFLOAT16), ("", BFLOAT16)])
def test_two_devices_or_precisions_are_refused(screen: ScreenInput, codes: tuple[str, ...]) -> None:
    with pytest.raises(Invalid, match="cannot be compared .* with one device and one precision"):
        with_numerics_note(computed(screen, *codes))


def test_provenance_says_how_vectors_were_computed(screen: ScreenInput) -> None:
    cell_lines = {"U2OS": scored_cell_line()}
    assert provenance_of(computed(screen, AVX2), cell_lines).numerics == (AVX2,)
    assert provenance_of(screen, cell_lines).numerics == ()


def test_an_axis_names_the_precision_of_its_vectors(screen: ScreenInput) -> None:
    """Vectors of a GPU agree with those of a CPU to about 1e-6; those of bfloat16 do not."""
    full, cuda, half = (computed(screen, code).preparation for code in (AVX2, CUDA, BFLOAT16))
    for alike in (full, cuda, screen.preparation):
        assert alike.provenance(cell_line="U2OS").model_id == screen.model_id
    assert half.provenance(cell_line="U2OS").model_id == f"{screen.model_id} in bfloat16"
