"""Query parameters as models that refuse unknown names.

A misspelt name in a query is an error, not a filter that silently shows everything. Each route declares its parameters
as `Annotated[SomeQuery, Query()]`; a route without parameters has the dependency `NO_QUERY`.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends, Query, Request

from gandl_shared.schemas.base import Frozen


class QueryModel(Frozen):
    """Base of the parameters of a route; it refuses names that it does not have."""


async def refuse_parameters(_: Annotated[QueryModel, Query()]) -> None:
    """A dependency that refuses every query parameter."""


NO_QUERY = Depends(refuse_parameters)


def parameter_names(request: Request) -> tuple[str, ...]:
    """Return the names of the query parameters that the route of a request takes, as its specification lists them."""
    paths = request.app.openapi()["paths"]
    operation = paths.get(request.scope["route"].path_format, {}).get(request.method.lower(), {})
    return tuple(p["name"] for p in operation.get("parameters", ()) if p["in"] == "query")
