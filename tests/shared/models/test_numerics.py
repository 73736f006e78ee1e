"""How vectors were computed ends their key, so that two ways are never taken for one."""

from __future__ import annotations

import pytest
from gandl_shared.models.numerics import (
    UNRECORDED,
    Numerics,
    code_of,
    content_of,
    full_key,
    go_together,
    kind_of,
    stored_key,
)

CPU = Numerics(provider="cpu", precision="float32", device="x86_64 avx2", runtime="onnxruntime 1.22.0", batch="16")
CONTENT = "0123456789abcdef" * 4


@pytest.mark.parametrize("field", Numerics.model_fields)
def test_every_field_changes_the_key(field: str) -> None:
    other = CPU.model_copy(update={field: "other"})
    assert full_key(CONTENT, other.code) != full_key(CONTENT, CPU.code)


def test_a_key_comes_apart_again() -> None:
    key = full_key(CONTENT, CPU.code)
    assert CPU.code == "cpu.float32.x86_64_avx2.onnxruntime_1_22_0.16"
    assert (content_of(key), code_of(key), kind_of(key)) == (CONTENT, CPU.code, "cpu.float32")


def test_a_key_of_an_earlier_version_or_of_a_table_is_what_was_embedded() -> None:
    for key in (CONTENT, "P1-A01", ""):
        assert (content_of(key), code_of(key), kind_of(key), stored_key(key)) == (key, "", UNRECORDED, key)


def test_the_longest_kind_fits_into_the_column_of_the_database() -> None:
    bfloat16 = CPU.model_copy(update={"provider": "openvino", "precision": "bfloat16"})
    key = stored_key(full_key(CONTENT, bfloat16.code))
    assert len(key) <= 64
    assert (kind_of(key), kind_of(stored_key(key))) == ("openvino.bfloat16", "openvino.bfloat16")
    assert CONTENT.startswith(content_of(key))


def test_codes_of_several_devices_stand_side_by_side() -> None:
    other = CPU.model_copy(update={"device": "x86_64 avx512f"})
    assert Numerics.of_codes({CPU.code, other.code}).code == (
        "cpu.float32.x86_64_avx2+x86_64_avx512f.onnxruntime_1_22_0.16"
    )
    assert Numerics.of_codes({CPU.code}).code == CPU.code


@pytest.mark.parametrize(
    ("kinds", "together"),
    [
        ({"cpu.float32"}, True),
        ({"cpu.float32", "cuda.float32"}, False),
        ({"cpu.float32", "openvino.bfloat16"}, False),
        ({UNRECORDED, "cpu.float32"}, True),
        ({UNRECORDED, "cuda.float32"}, True),
        ({UNRECORDED, "openvino.bfloat16"}, False),
        (set(), True),
    ],
)
def test_vectors_of_two_kinds_do_not_stand_in_one_screen(kinds: set[str], together: bool) -> None:
    assert go_together(kinds) is together
