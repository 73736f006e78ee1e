"""What a library raises on broken bytes names the file; what the system says passes."""

from __future__ import annotations

import errno
import struct
import zlib

import pytest
from gandl_shared.errors import InvalidImage, TooLarge, UnsupportedType
from gandl_shared.imaging.safety.damage import damage_named


@pytest.mark.parametrize(
    "error", [struct.error("x"), ZeroDivisionError("x"), zlib.error("x"), OSError("x"), KeyError(1)]
)
def test_any_error_of_a_library_is_about_the_file(error: Exception) -> None:
    with pytest.raises(InvalidImage, match=r"a\.tif cannot be decoded"), damage_named("a.tif"):
        raise error


def test_memory_and_depth_have_their_own_sentences() -> None:
    with pytest.raises(TooLarge, match="more memory"), damage_named("a.tif"):
        raise MemoryError
    with pytest.raises(InvalidImage, match="nested too deeply"), damage_named("a.tif"):
        raise RecursionError


def test_our_own_errors_and_those_of_the_system_pass() -> None:
    with pytest.raises(UnsupportedType, match="as it is"), damage_named("a.tif"):
        raise UnsupportedType("as it is")
    with pytest.raises(OSError, match="away"), damage_named("a.tif"):
        raise OSError(errno.EIO, "away")
