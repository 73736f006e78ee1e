"""The base class of every schema: frozen values that refuse fields they do not know; and files inside of a message."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated

from pydantic import Base64Encoder, BaseModel, ConfigDict, EncodedBytes
from pydantic_core import PydanticCustomError


class Frozen(BaseModel):
    """A value that cannot be changed after it was checked. An unknown field is an error, so that a misspelt one is not
    ignored in silence."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class _StrictBase64(Base64Encoder):
    """Base64 in which no character is passed over: what a client sends by mistake would become another file."""

    @classmethod
    def decode(cls, data: bytes) -> bytes:
        """Return the bytes of a text in base64, which may be broken into lines."""
        text = b"".join(data.split())
        try:
            return base64.b64decode(text, validate=True)
        except binascii.Error as error:
            raise PydanticCustomError("base64_decode", "{reason}", {"reason": _reason(text)}) from error


def _reason(text: bytes) -> str:
    if text.startswith(b"data:"):
        return "this is a data URL; send only what follows its comma"
    alphabet = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=")
    foreign = next((i for i, code in enumerate(text) if code not in alphabet), None)
    if foreign is not None:
        character = text[foreign:].decode(errors="replace")[0]
        return (
            f"'{character}' (character {foreign + 1}) does not belong to base64; send the bytes of the file in base64"
        )
    return f"the text of {len(text)} characters ends too early for base64, or is broken; send the whole file in base64"


FileBytes = Annotated[bytes, EncodedBytes(encoder=_StrictBase64)]
"""The bytes of a file, in base64 in a message."""
