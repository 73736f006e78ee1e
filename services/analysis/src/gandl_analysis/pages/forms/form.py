"""Forms of pages: read within limits, and only after the token of the page that sent them was compared."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fastapi import Request
from fastapi.responses import RedirectResponse
from gandl_shared.errors import Malformed
from gandl_shared.web.requests.access import check_token, session_of_request
from gandl_shared.web.requests.bodies import BodyLimit
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException

TOKEN = "csrf"
FORM_LIMIT = BodyLimit(2**20, "choose fewer things at once")
MAX_FIELDS, MAX_FILES = 3000, 2
_HIDDEN = frozenset({TOKEN, "kind"})
"""The fields that the page writes itself."""
_DECIMAL_COMMA = re.compile(r"-?(0,\d+|\d+,(\d{1,2}|\d{4,}))")


@dataclass(frozen=True)
class Form:
    """The fields of a form that was sent from a page of this service."""

    data: FormData

    def text(self, name: str) -> str:
        """Return a field without spaces around it; empty if it is absent. Raises Malformed for a file."""
        value = self.data.get(name, "")
        if not isinstance(value, str):
            raise Malformed(f"the field {name} must be a text and not a file")
        return value.strip()

    def optional(self, name: str) -> str | None:
        """Return a field, None if it is empty."""
        return self.text(name) or None

    def number(self, name: str) -> str | None:
        """Return a field that holds a number, with a decimal comma as a point; None if it is empty.

        `1,500` could be one and a half or fifteen hundred, and stays as it is, so that it is refused.
        """
        text = self.text(name)
        return (text.replace(",", ".") if _DECIMAL_COMMA.fullmatch(text) else text) or None

    def texts(self, name: str) -> tuple[str, ...]:
        """Return all values of a field that occurs several times."""
        return tuple(value for value in self.data.getlist(name) if isinstance(value, str))

    def file(self, name: str) -> UploadFile | None:
        """Return an uploaded file, or None if none was chosen."""
        value = self.data.get(name)
        return value if isinstance(value, UploadFile) and value.filename else None


async def read_form(request: Request, limit: BodyLimit = FORM_LIMIT) -> Form:
    """Return the form of a request. Raises Forbidden where it was not sent from a page here, TooLarge, Malformed."""
    limit.stated_length(request)
    bounded = Request(request.scope, limit.limit(request.receive))
    try:
        data = await bounded.form(max_fields=MAX_FIELDS, max_files=MAX_FILES)
    except HTTPException as error:
        raise Malformed(f"the form cannot be read: {error.detail}") from error
    token = data.get(TOKEN)
    check_token(request, session_of_request(request), token if isinstance(token, str) else None)
    # A page that refuses the form gives back what was written, so that nobody has to remember it.
    form = Form(data)
    request.state.entries = {name: ", ".join(form.texts(name)) for name in data if name not in _HIDDEN}
    return form


def see_other(address: str) -> RedirectResponse:
    """Return the way to the page that shows the result, so that a reload does not send the form again."""
    return RedirectResponse(address, status_code=303)
