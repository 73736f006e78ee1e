"""The key that a service may demand of its clients."""

from __future__ import annotations

import hmac
from collections.abc import Awaitable, Callable
from typing import Annotated

from fastapi import Security
from fastapi.security import APIKeyHeader
from pydantic import SecretStr

from gandl_shared.errors import Unauthorized
from gandl_shared.schemas.headers import API_KEY

_SCHEME = APIKeyHeader(name=API_KEY, auto_error=False, description="Needed where the service has a key.")


def require_key(api_key: SecretStr | None) -> Callable[[str | None], Awaitable[None]]:
    """Return a dependency that refuses requests without this key in X-API-Key; None accepts every request."""
    expected = api_key.get_secret_value().encode() if api_key else None

    # The function is async because FastAPI would run a plain one in a thread for each request.
    async def check(key: Annotated[str | None, Security(_SCHEME)] = None) -> None:
        if expected is None:
            return
        if key is None:
            raise Unauthorized(f"this service needs a key; send it in the header {API_KEY}")
        # The comparison takes the same time for every key, so that the key cannot be guessed byte by byte.
        if not hmac.compare_digest(key.encode(), expected):
            raise Unauthorized(f"the service does not accept the key in the header {API_KEY}")

    return check
