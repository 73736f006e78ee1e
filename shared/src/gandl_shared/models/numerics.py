"""How vectors were computed, as far as it decides their bits: provider, precision, device, runtime and batch.

All of it ends the key of a vector: `SHA-256-provider.precision.device.runtime.batch`. Vectors of two kinds (provider
and precision) are never put together. Vectors of one kind from two devices agree to about 1e-6, and a mixture of them
is noted in the results.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from pydantic import Field

from gandl_shared.schemas.base import Frozen

UNRECORDED = "unrecorded"
"""The kind of vectors of a version that did not record it. ONNX Runtime computed them, on a CPU or by CUDA, in the
precision of the model file."""

_STORED_DIGITS = 40
"""Hexadecimal digits of a hash in the database, whose column has room for the kind beside them."""
_KEY = re.compile(r"([0-9a-f]{40,64})-([0-9a-z_+.]+)")
_NO_CODE = re.compile(r"[^0-9a-z+]+")


class Numerics(Frozen):
    """How vectors were computed. Where all fields agree, the same tile gives the same vector bit for bit."""

    provider: str = Field(description="what runs the network: cpu, cuda, openvino; numpy for a baseline")
    precision: str = Field(description="float32, bfloat16 or float16")
    device: str = Field(description="the instructions of the processor, or the name of the GPU")
    runtime: str = Field(description="the library that computes, with its version")
    batch: str = Field(description="the tiles of a run by whose vectors those of other batches are measured")

    @classmethod
    def of_codes(cls, codes: Collection[str]) -> Numerics:
        """Return what several codes of one kind say together; where they differ, all values stand side by side."""
        columns = zip(*(code.split(".") for code in codes), strict=True)
        joined = ("+".join(sorted(set(column))) for column in columns)
        return cls(**dict(zip(cls.model_fields, joined, strict=True)))

    @property
    def kind(self) -> str:
        """Provider and precision, such as cpu.float32. Vectors of two kinds are not comparable."""
        return f"{_code(self.provider)}.{_code(self.precision)}"

    @property
    def code(self) -> str:
        """All fields in the form that ends a key, such as cpu.float32.x86_64_avx2.onnxruntime_1_22_0.16."""
        return ".".join(map(_code, (self.provider, self.precision, self.device, self.runtime, self.batch)))


def full_key(content: str, code: str) -> str:
    """Return the key of vectors: what was embedded (`content`, SHA-256), and the code of the numerics."""
    return f"{content}-{code}"


def content_of(key: str) -> str:
    """Return the part of a key that says what was embedded. Keys of earlier versions have no other part."""
    parts = _KEY.fullmatch(key)
    return parts[1] if parts else key


def code_of(key: str) -> str:
    """Return the part of a key that says how it was embedded; empty for a key of an earlier version."""
    parts = _KEY.fullmatch(key)
    return parts[2] if parts else ""


def kind_of(key: str) -> str:
    """Return provider and precision of the vectors with this key; UNRECORDED for a key of an earlier version."""
    return kind_of_code(code_of(key))


def kind_of_code(code: str) -> str:
    """Return provider and precision of a code; UNRECORDED for an empty one."""
    return ".".join(code.split(".")[:2]) or UNRECORDED


def stored_key(key: str) -> str:
    """Return a key as the table of sites holds it: the first digits of its hash, and the kind."""
    return full_key(content_of(key)[:_STORED_DIGITS], kind_of(key)) if code_of(key) else key


def go_together(kinds: Collection[str]) -> bool:
    """Return whether vectors of these kinds may stand in one screen: one kind, and UNRECORDED beside ONNX Runtime's."""
    recorded = set(kinds) - {UNRECORDED}
    return len(recorded) <= 1 and not (UNRECORDED in kinds and any(kind.startswith("openvino.") for kind in recorded))


def _code(text: str) -> str:
    return _NO_CODE.sub("_", text.lower()).strip("_") or "unknown"
