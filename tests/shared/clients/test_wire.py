"""Arrays on the wire: what is read, and what is refused before it costs memory."""

from __future__ import annotations

import io

import numpy as np
import pytest
from gandl_shared.clients.wire import from_npy, to_npy
from gandl_shared.errors import Malformed
from hypothesis import given
from hypothesis.extra import numpy as arrays

PLAIN = arrays.arrays(
    arrays.scalar_dtypes().filter(lambda dtype: dtype.kind in "uifb"),
    arrays.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=3),
)


@given(array=PLAIN)
def test_plain_arrays_come_back_as_they_were(array: np.ndarray) -> None:
    received = from_npy(to_npy(array))
    np.testing.assert_array_equal(received, array)
    assert received.dtype == array.dtype.newbyteorder("=")
    assert received.dtype.isnative


def test_fortran_order_is_read() -> None:
    array = np.asfortranarray(np.arange(6).reshape(2, 3))
    np.testing.assert_array_equal(from_npy(to_npy(array)), array)


def pickled() -> bytes:
    buffer = io.BytesIO()
    np.save(buffer, np.array([{"a": 1}], dtype=object), allow_pickle=True)
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "not an .npy"),
        (b"\x93NUMPY\x09\x00", "not an .npy"),
        (pickled(), "only plain numbers"),
        (to_npy(np.zeros(2, [("a", "f4")])), "only plain numbers"),
        (to_npy(np.zeros(3))[:-1], "promises 24 bytes"),
        (to_npy(np.zeros(3)) + b"x", "25 follow"),
        (to_npy(np.zeros(3)).replace(b"(3,)", b"(-3,)"), "shape|not an .npy"),
    ],
    ids=["empty", "version", "pickle", "structure", "cut", "longer", "negative"],
)
def test_anything_else_is_malformed(body: bytes, reason: str) -> None:
    with pytest.raises(Malformed, match=reason):
        from_npy(body)


def test_a_forged_shape_costs_nothing() -> None:
    body = to_npy(np.zeros((1, 2, 16, 16), np.uint8)).replace(b"(1, 2, 16, 16), }   ", b"(1, 2, 9999999, 9999), }")
    with pytest.raises(Malformed, match="promises"):
        from_npy(body)
