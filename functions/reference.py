"""GET /api/openapi.json and /api/reference: the API document, and a page that shows it and tries it out."""

import json
from functools import cache
from pathlib import Path

import azure.functions as func
from azurefunctions.extensions.http.fastapi import Response

from functions.http.openapi import openapi_document
from functions.http.routes import Call, Route

reference_routes = func.Blueprint()

document_route = Route(reference_routes, name="openapi", path="openapi.json", tag="Operations")
page_route = Route(reference_routes, name="reference", path="reference", tag="Operations")

# The page brings everything with it and may talk to this API only.
_PAGE_POLICY = (
    "default-src 'none'; connect-src 'self'; img-src 'self' data:; style-src 'unsafe-inline'; "
    "script-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


@document_route.operation("GET", summary="This document")
async def document(call: Call) -> Response:  # noqa: ARG001 - the same for everybody
    """OpenAPI 3.1, generated from the models that validate requests."""
    return Response(_document(), media_type="application/json", headers={"Cache-Control": "max-age=60"})


@page_route.operation("GET", summary="Interactive reference", media_type="text/html")
async def page(call: Call) -> Response:  # noqa: ARG001 - the same for everybody
    """A page that lists every operation and sends requests; needs nothing from the internet."""
    headers = {"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "max-age=60"}
    return Response(_page(), media_type="text/html", headers=headers)


@cache
def _document() -> bytes:
    return json.dumps(openapi_document(), ensure_ascii=False).encode()


@cache
def _page() -> bytes:
    return (Path(__file__).parent / "http" / "reference.html").read_bytes()
