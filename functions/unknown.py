"""Every other path under /api: answers 404 the way all errors are answered.

The host tries functions in alphabetical order of their names; this one comes last, so it takes only what is left.
"""

from typing import NoReturn

import azure.functions as func

from functions.http.routes import Call, Method, Route
from shared.errors import NotFound

unknown_routes = func.Blueprint()

route = Route(unknown_routes, name="zz_unknown_path", path="{*path}", tag="Operations", documented=False)


async def unknown(call: Call) -> NoReturn:  # noqa: ARG001 - the same for every request
    """Nothing is here."""
    raise NotFound("There is nothing at this path; /api/reference lists what there is.")


_METHODS: tuple[Method, ...] = ("GET", "POST", "PUT", "PATCH", "DELETE")
for _method in _METHODS:
    route.operation(_method, summary="Unknown path")(unknown)
