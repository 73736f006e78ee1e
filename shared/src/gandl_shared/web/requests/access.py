"""Who may do what: a key in a header for programs, a signed cookie after signing in for pages.

Two keys give two roles: the API key that of an editor, and the reader key that of a reader, who changes nothing. A
service without keys is open, and everybody is an editor. Whoever comes with a cookie proves with a token that the
request was sent from a page of this service, because a browser adds cookies to the requests of any site.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Annotated

from fastapi import Request, Response, Security
from fastapi.security import APIKeyHeader
from pydantic import SecretStr

from gandl_shared.errors import Forbidden, Unauthorized
from gandl_shared.schemas.headers import API_KEY, CSRF

COOKIE = "gandl_session"
SESSION_SECONDS = 12 * 3600
MAX_COOKIE = 4096
_SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
_SCHEME = APIKeyHeader(name=API_KEY, auto_error=False, description="Needed where the service has a key.")


class AccessRole(StrEnum):
    """A reader sees everything and changes nothing; an editor submits, decides and deletes."""

    READER = "reader"
    EDITOR = "editor"


@dataclass(frozen=True, kw_only=True)
class Session:
    """What the cookie of a browser says. `csrf` is the token that the forms of its pages carry; `author` is the name
    under which the person has decided last; `ends_at` is in seconds since 1970."""

    role: AccessRole
    csrf: str
    ends_at: float
    author: str = ""

    @property
    def may_edit(self) -> bool:
        """Whether the person may change something."""
        return self.role is AccessRole.EDITOR


@dataclass(frozen=True)
class Access:
    """The keys of a service, and the secret by which it signs cookies."""

    editor_key: SecretStr | None
    reader_key: SecretStr | None
    secret: bytes

    @classmethod
    def of_keys(cls, editor_key: SecretStr | None, reader_key: SecretStr | None) -> Access:
        """Return the access by these keys. Cookies end with the keys; without keys they end with the process."""
        keys = [key.get_secret_value() for key in (editor_key, reader_key) if key is not None]
        # All processes of a service have the keys in common, so that they accept each other's cookies.
        secret = (
            hashlib.sha256("\0".join(["gandl session", *keys]).encode()).digest() if keys else secrets.token_bytes(32)
        )
        return cls(editor_key, reader_key, secret)

    @property
    def is_open(self) -> bool:
        """Whether no key is needed."""
        return self.editor_key is None and self.reader_key is None

    def role_of_key(self, key: str) -> AccessRole | None:
        """Return the role that a key gives, or None for a wrong key. It takes the same time for every key."""
        roles = ((self.editor_key, AccessRole.EDITOR), (self.reader_key, AccessRole.READER))
        return next((role for own, role in roles if own is not None and _equal(key, own.get_secret_value())), None)

    def begin(self, role: AccessRole, author: str = "") -> Session:
        """Return a new session."""
        return Session(role=role, csrf=secrets.token_urlsafe(24), ends_at=time.time() + SESSION_SECONDS, author=author)

    def with_author(self, session: Session, author: str) -> Session:
        """Return the same session with the name under which the person has decided."""
        return replace(session, author=author)

    def signed(self, session: Session) -> str:
        """Return a session as the text of a cookie."""
        payload = base64.urlsafe_b64encode(json.dumps(asdict(session)).encode()).decode()
        return f"{payload}.{self._signature(payload)}"

    def session_of(self, cookie: str | None) -> Session | None:
        """Return the session of a cookie, or None for one that was not signed here or has ended."""
        if cookie is None or len(cookie) > MAX_COOKIE:
            return None
        payload, _, signature = cookie.partition(".")
        if not _equal(signature, self._signature(payload)):
            return None
        # Only what was signed here is read.
        fields = json.loads(base64.urlsafe_b64decode(payload))
        session = Session(**{**fields, "role": AccessRole(fields["role"])})
        return session if session.ends_at > time.time() else None

    def _signature(self, payload: str) -> str:
        return hmac.new(self.secret, payload.encode(), hashlib.sha256).hexdigest()


def session_of_request(request: Request) -> Session | None:
    """Return the session with which a request was accepted, None for one with a key in its header."""
    session: Session | None = getattr(request.state, "session", None)
    return session


def require_access(access: Access, *, pages: bool = False) -> Callable[[Request, str | None], Awaitable[None]]:
    """Return a dependency that refuses requests without a key or a session, and changes by readers.

    Raises Unauthorized, Forbidden. A change with a cookie carries the token of its page in the header X-CSRF-Token.
    `pages` are the exception: their forms carry it in the body, which must be read by `check_token` before anything
    else is done.
    """

    # The function is async because FastAPI would run a plain one in a thread for each request.
    async def check(request: Request, key: Annotated[str | None, Security(_SCHEME)] = None) -> None:
        session = access.session_of(request.cookies.get(COOKIE))
        if key is not None and not access.is_open:
            role = access.role_of_key(key)
            if role is None:
                raise Unauthorized(f"the service does not accept the key in the header {API_KEY}")
            session = None
        elif access.is_open:
            role = AccessRole.EDITOR
            if session is None and pages:
                session = access.begin(role)
                request.state.new_session = session
        elif session is None:
            raise Unauthorized(f"this service needs a key; send it in the header {API_KEY}, or sign in on its pages")
        else:
            role = session.role
        request.state.session, request.state.access = session, access
        if request.method in _SAFE_METHODS:
            return
        if role is not AccessRole.EDITOR:
            raise Forbidden("the key of a reader changes nothing; sign in with the key of an editor")
        if pages:
            return
        refuse_other_sites(request)
        # Programs send their key with each request, which a browser does for nobody; a cookie needs the token.
        if session is not None and not access.is_open:
            check_token(request, session, request.headers.get(CSRF))

    return check


def refuse_other_sites(request: Request) -> None:
    """Raise Forbidden if a browser says that another site has sent the request."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Forbidden("the request was sent by another site; use the pages of this service")


def check_token(request: Request, session: Session | None, token: str | None) -> None:
    """Raise Forbidden unless a change was sent from a page of this service."""
    refuse_other_sites(request)
    if session is None or token is None or not _equal(token, session.csrf):
        raise Forbidden("the form is too old or was sent by another site; load its page again and send it once more")


def set_session(request: Request, answer: Response, access: Access, session: Session) -> None:
    """Add the cookie of a session to an answer. Scripts cannot read it, and other sites do not send it with forms."""
    answer.set_cookie(
        COOKIE,
        access.signed(session),
        max_age=SESSION_SECONDS,
        path=_cookie_path(request),
        httponly=True,
        samesite="lax",
        secure=request.url.scheme == "https",
    )


def end_session(request: Request, answer: Response) -> None:
    """Remove the cookie of a session."""
    answer.delete_cookie(COOKIE, path=_cookie_path(request), httponly=True, samesite="lax")


def _cookie_path(request: Request) -> str:
    return str(request.scope.get("root_path", "")).rstrip("/") or "/"


def _equal(first: str, second: str) -> bool:
    return hmac.compare_digest(first.encode(), second.encode())
