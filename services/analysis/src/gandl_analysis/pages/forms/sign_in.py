"""Signing in with a key, and signing out."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from gandl_shared.web.requests.access import (
    COOKIE,
    Access,
    check_token,
    end_session,
    refuse_other_sites,
    set_session,
)
from gandl_shared.web.requests.bodies import BodyLimit
from starlette.datastructures import UploadFile

from gandl_analysis.pages.forms.form import see_other
from gandl_analysis.pages.frame.answers import base_path, page_router, render_page

_LIMIT = BodyLimit(20_000, "send only the key")
_WRONG_KEY_SECONDS = 0.5
Next = Annotated[str, Query(alias="next", max_length=4000)]


def router(access: Access) -> APIRouter:
    """Return the routes that need no key."""
    routes = page_router()

    @routes.get("/sign-in")
    def show_sign_in(request: Request, target: Next = "") -> Response:
        """The form that takes the key."""
        base = base_path(request)
        if access.is_open or access.session_of(request.cookies.get(COOKIE)) is not None:
            return see_other(own_address(target, base))
        return render_page("sign_in.html", base=base, target=own_address(target, base), is_wrong=False)

    @routes.post("/sign-in")
    async def sign_in(request: Request) -> Response:
        """Compare the key, and give the browser a cookie."""
        refuse_other_sites(request)
        base = base_path(request)
        form = await Request(request.scope, _LIMIT.limit(request.receive)).form(max_fields=5, max_files=0)
        fields = {name: value for name, value in form.items() if not isinstance(value, UploadFile)}
        target, role = own_address(fields.get("next", ""), base), access.role_of_key(fields.get("key", "").strip())
        if role is None:
            # Guessing a key is hopeless anyway; a pause keeps it from costing the server much.
            await asyncio.sleep(_WRONG_KEY_SECONDS)
            return render_page("sign_in.html", status_code=401, base=base, target=target, is_wrong=True)
        answer = see_other(target)
        set_session(request, answer, access, access.begin(role, fields.get("author", "").strip()[:100]))
        return answer

    @routes.get("/sign-out")
    def show_sign_out(request: Request) -> Response:
        """Who is signed in, and the button that ends it."""
        base, session = base_path(request), access.session_of(request.cookies.get(COOKIE))
        if access.is_open or session is None:
            return see_other(f"{base}/ui/")
        return render_page("sign_out.html", base=base, session=session)

    @routes.post("/sign-out")
    async def sign_out(request: Request) -> Response:
        """End the session of the browser."""
        session = access.session_of(request.cookies.get(COOKIE))
        form = await Request(request.scope, _LIMIT.limit(request.receive)).form(max_fields=5, max_files=0)
        token = form.get("csrf")
        check_token(request, session, token if isinstance(token, str) else None)
        answer = see_other(f"{base_path(request)}/ui/sign-in")
        end_session(request, answer)
        return answer

    return routes


def own_address(address: str, base: str) -> str:
    """Return an address if it is one of these pages, otherwise that of the list of screens.

    A link to the page that takes the key must not lead to another site afterwards.
    """
    begins = f"{base}/ui/"
    plain = address.isascii() and address.isprintable() and "\\" not in address and "//" not in address
    return address if plain and address.startswith(begins) and "/.." not in address else begins
