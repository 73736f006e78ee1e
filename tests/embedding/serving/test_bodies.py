"""Bodies take memory as their bytes arrive, and give it back at the end."""

from __future__ import annotations

import pytest
from gandl_embedding.serving.bodies import BodyMemory
from gandl_shared.errors import Full


def test_a_body_beside_others_is_refused_and_one_alone_is_not() -> None:
    memory = BodyMemory(10)
    with memory.reservation(20) as alone:
        alone(15)
        alone(5)
        with pytest.raises(Full, match="20 bytes"):
            memory.reservation(1)
    with memory.reservation(10) as first, memory.reservation(10) as second:
        first(6)
        second(4)
        with pytest.raises(Full, match="6 bytes"):
            second(1)
    memory.reservation(10)
