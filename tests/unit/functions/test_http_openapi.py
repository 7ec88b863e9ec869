"""The API document as it is made from the routes."""

import json
import re
from typing import Any

import pytest

import functions.chat
import functions.health
import functions.models
import functions.quotes
import functions.reference
import functions.settings
import functions.symbols
import functions.unknown  # noqa: F401 - all routes declare themselves when they are imported
from functions.http.openapi import openapi_document
from functions.http.routes import ROUTES


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    return openapi_document()


def plain(path: str) -> str:
    """The path without the constraints of its parameters, which are the host's business."""
    return re.sub(r"{(\w+)[^}]*}", r"{\1}", path)


def test_every_route_is_in_the_document(document):
    """Each documented route is a path of the document with exactly its methods, and the catch-all is not."""
    declared = {f"/{plain(route.path)}": {m.lower() for m in route.operations} for route in ROUTES if route.documented}
    assert declared == {path: set(item) - {"parameters"} for path, item in document["paths"].items()}
    assert not any("*" in path for path in document["paths"])


def test_names_of_functions_are_in_an_order_that_lets_every_route_answer():
    """The catch-all is the last function by name, because the host asks them in that order."""
    assert max(route.name for route in ROUTES) == "zz_unknown_path"
    assert len(ROUTES) == len({route.name for route in ROUTES})


def test_document_is_json(document):
    """The document can be sent as strict JSON."""
    assert document == json.loads(json.dumps(document, allow_nan=False))


@pytest.mark.parametrize(
    ("path", "name", "required"),
    [
        ("/symbols", "q", True),
        ("/symbols", "limit", False),
        ("/quotes", "symbols", True),
        ("/symbols/{symbol}/history", "range", False),
        ("/symbols/{symbol}/indicators", "names", False),
    ],
)
def test_query_parameters_are_documented(document, path, name, required):
    """Each query parameter is in the document and says whether it must be given."""
    parameters = {item["name"]: item for item in document["paths"][path]["get"]["parameters"]}
    assert ("query", required) == (parameters[name]["in"], parameters[name]["required"])


def test_bounds_of_requests_are_documented(document):
    """The bounds that are checked are the bounds that are told."""
    chat = document["components"]["schemas"]["ChatRequest"]
    assert chat["additionalProperties"] is False
    assert chat["required"] == ["message"]
    assert chat["properties"]["symbols"]["maxItems"] == 5
    limit = next(p for p in document["paths"]["/symbols"]["get"]["parameters"] if p["name"] == "limit")
    assert tuple(limit["schema"][name] for name in ("minimum", "maximum", "default")) == (1, 100, 20)


def test_chat_documents_both_forms_of_answer(document):
    """The chat path documents JSON and the event stream with the schemas of its frames; the stream path only that."""
    both = document["paths"]["/chat"]["post"]["responses"]["200"]["content"]
    assert {"application/json", "text/event-stream"} == set(both)
    stream = document["paths"]["/chat/stream"]["post"]["responses"]["200"]["content"]
    assert {"text/event-stream"} == set(stream)
    assert len(stream["text/event-stream"]["schema"]["x-frames"]) == 5


def test_statuses_of_the_contract_are_documented(document):
    """Chat documents each status that the contract names for it."""
    responses = document["paths"]["/chat"]["post"]["responses"]
    assert {"200", "400", "401", "409", "413", "415", "422", "429", "502", "503", "504"} <= set(responses)
    assert {"404", "503"} <= set(document["paths"]["/symbols/{symbol}/quote"]["get"]["responses"])
