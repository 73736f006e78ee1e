"""Every error as ErrorBody JSON with a request id: those of our tree, FastAPI's, Starlette's and unexpected ones."""

from __future__ import annotations

import json
import logging
import math
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from gandl_shared.errors import (
    Full,
    GandlError,
    Invalid,
    Malformed,
    Problem,
    Unauthorized,
    Unavailable,
    without_folders,
)
from gandl_shared.schemas.headers import API_KEY, REQUEST_ID
from gandl_shared.schemas.screen import ErrorBody
from gandl_shared.web.query import parameter_names
from gandl_shared.web.request_ids import request_id

MAX_PROBLEMS_IN_DETAIL = 3

_log = logging.getLogger("gandl.web")


def add_error_handlers(app: FastAPI) -> None:
    """Make an application answer every error in the one form."""
    app.add_exception_handler(GandlError, _answer_error)
    app.add_exception_handler(RequestValidationError, _answer_validation)
    app.add_exception_handler(HTTPException, _answer_http)
    app.add_exception_handler(Exception, _answer_error)


def error_responses(*statuses: int) -> dict[int | str, dict[str, Any]]:  # Any: FastAPI's own type for `responses`
    """Return the `responses` of a route that may answer these statuses with ErrorBody."""
    return {status: {"model": ErrorBody, "description": HTTPStatus(status).phrase} for status in statuses}


def error_response(error: GandlError, identity: str | None, *, name: str | None = None) -> Response:
    """Return the JSON, status and headers with which every service answers an error of the tree.

    `name` stands in `error` in place of the name of the class, for protocols that have a sentence there.
    """
    headers = {REQUEST_ID: identity} if identity else {}
    if isinstance(error, Full | Unavailable):
        # RFC 9110 allows only whole seconds.
        headers["Retry-After"] = str(math.ceil(error.retry_after)) if isinstance(error, Full) else "1"
    if isinstance(error, Unauthorized):
        headers["WWW-Authenticate"] = f'ApiKey header="{API_KEY}"'
    body = error.body()
    if isinstance(error, Unavailable):
        body["detail"] = without_folders(error.detail)
    if name is not None:
        body["error"] = name
    return _json_response(error.status, {**body, "request_id": identity}, headers)


def answer_to(error: Exception, identity: str | None) -> Response:
    """Return the answer to a request that ended with any error. A fault of ours goes to the log with its traceback."""
    if isinstance(error, GandlError):
        if error.status == HTTPStatus.INTERNAL_SERVER_ERROR:
            _log.error("request %s: %s", identity, error.detail, exc_info=error)
        return error_response(error, identity)
    _log.error("request %s failed", identity, exc_info=error)
    detail = "something failed inside the service; its log has the cause under this request id"
    body = _plain_body("InternalError", detail, identity)
    return _json_response(500, body, {REQUEST_ID: identity} if identity else {})


async def _answer_error(request: Request, error: Exception) -> Response:
    return answer_to(error, request_id(request))


async def _answer_validation(request: Request, error: Exception) -> Response:
    """Answer what FastAPI refused: a body that is not JSON is malformed, a value that does not fit is invalid."""
    assert isinstance(error, RequestValidationError)
    findings = error.errors()
    problems = [_problem(finding, request) for finding in findings]
    # One of the problems decides the class: a body that is not JSON has no fields that could be invalid.
    kind = Malformed if any(finding["type"] == "json_invalid" for finding in findings) else Invalid
    detail = "; ".join(str(problem) for problem in problems[:MAX_PROBLEMS_IN_DETAIL])
    return error_response(kind(detail, problems=problems), request_id(request))


def _problem(finding: Mapping[str, Any], request: Request) -> Problem:  # Any: FastAPI's own type of a finding
    """Return a finding as a problem; for an unknown query parameter it lists the known ones."""
    # Where a field may have one of several forms, Pydantic adds the name of the form, such as literal['plate','card'].
    field = ".".join(part for part in map(str, finding["loc"]) if "[" not in part)
    if finding["type"] == "extra_forbidden" and finding["loc"][0] == "query":
        names = ", ".join(parameter_names(request)) or "none"
        return Problem(f"unknown parameter; this path takes {names}", field=field)
    return Problem(_words(finding), field=field)


def _words(finding: Mapping[str, Any]) -> str:  # Any: FastAPI's own type of a finding
    """Return what is wrong with a body or a field and what to do, where the words of Pydantic say neither."""
    kind, is_body = finding["type"], tuple(finding["loc"]) == ("body",)
    if kind == "json_invalid":
        reason = finding.get("ctx", {}).get("error", "")
        return f"the body is no JSON ({reason}); send one JSON object, whole and in UTF-8"
    if kind == "missing":
        return "the request has no body; send a JSON object" if is_body else "this field is missing; add it"
    if kind in ("model_attributes_type", "model_type", "dict_type") and is_body:
        return "the body is no JSON object; send one with the header Content-Type: application/json"
    if kind == "bytes_type":
        return "this is no text; send the bytes of the file as a text in base64"
    if kind == "extra_forbidden":
        return "there is no such field; correct its name or leave it out"
    return str(finding["msg"]).removeprefix("Value error, ")


async def _answer_http(request: Request, error: Exception) -> Response:
    """Answer Starlette's own errors: no such route, wrong method."""
    assert isinstance(error, HTTPException)
    names = {404: "NotFound", 405: "MethodNotAllowed"}
    name = names.get(error.status_code, HTTPStatus(error.status_code).name.title().replace("_", ""))
    detail = f"{error.detail}: {request.method} {request.url.path}"
    body = _plain_body(name, detail, request_id(request))
    return _json_response(error.status_code, body, dict(error.headers or {}))


def _plain_body(name: str, detail: str, identity: str | None) -> Mapping[str, object]:
    return {"error": name, "detail": detail, "problems": [], "request_id": identity}


def _json_response(status: int, body: Mapping[str, object], headers: Mapping[str, str]) -> Response:
    # The JSON is escaped to ASCII because a file name in a detail may hold what UTF-8 cannot encode.
    return Response(json.dumps(body), status_code=status, headers=dict(headers), media_type="application/json")
