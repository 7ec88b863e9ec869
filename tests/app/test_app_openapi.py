"""The OpenAPI document: complete, consistent in itself, and true of the responses that the app gives."""

import re
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest

from tests.app.client import CHAT, STREAM, AppClient, kind_of

METHODS = {"get", "post", "put", "patch", "delete"}
PATHS = {
    "/chat",
    "/chat/stream",
    "/health",
    "/health/live",
    "/models",
    "/symbols",
    "/symbols/{symbol}",
    "/symbols/{symbol}/quote",
    "/symbols/{symbol}/price",
    "/symbols/{symbol}/history",
    "/symbols/{symbol}/indicators",
    "/symbols/{symbol}/fundamentals",
    "/symbols/{symbol}/news",
    "/symbols/{symbol}/chart",
    "/symbols/stream",
    "/quotes",
    "/config",
    "/openapi.json",
    "/reference",
}


@pytest.fixture(scope="module")
def document(sample_app: AppClient) -> dict[str, Any]:
    return sample_app.document("/api/openapi.json")


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, item in document["paths"].items():
        for method in METHODS & item.keys():
            yield path, method, item[method]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for value in node.values():
            yield from references(value)
    elif isinstance(node, list):
        for value in node:
            yield from references(value)


def validator(document: dict[str, Any], schema: dict[str, Any]) -> jsonschema_rs.Draft202012Validator:
    return jsonschema_rs.Draft202012Validator({**schema, "components": document["components"]})


def test_document_is_openapi_31(document):
    """The document has the required parts of OpenAPI 3.1, and only fields that the standard knows."""
    assert document["openapi"] == "3.1.0"
    assert {"title", "version"} <= document["info"].keys()
    known = {"openapi", "info", "servers", "tags", "paths", "components", "security"}
    assert document.keys() <= known
    assert document["servers"] == [{"url": "/api"}]


def test_document_has_every_route(document):
    """Every route of this version is in the document, and no other path is."""
    assert set(document["paths"]) == PATHS


def test_every_reference_resolves(document):
    """Every $ref leads to a schema of the document, and every schema is led to."""
    named = set(references(document))
    schemas = {f"#/components/schemas/{name}" for name in document["components"]["schemas"]}
    assert named == schemas


def test_every_schema_is_a_json_schema(document):
    """Each schema is a valid JSON Schema of the dialect that OpenAPI 3.1 uses."""
    for name, schema in document["components"]["schemas"].items():
        assert jsonschema_rs.meta.is_valid(schema), name
        validator(document, {"$ref": f"#/components/schemas/{name}"})


def test_operations_are_well_formed(document):
    """Each operation has its own id, a known tag, a summary, and responses with descriptions and contents."""
    found = list(operations(document))
    ids = [operation["operationId"] for _, _, operation in found]
    assert len(ids) == len(set(ids))
    tags = {tag["name"] for tag in document["tags"]}
    for path, method, operation in found:
        assert operation["summary"], path
        assert operation["description"], path
        assert set(operation["tags"]) <= tags, path
        assert "200" in operation["responses"], path
        assert all(response["description"] for response in operation["responses"].values()), path
        assert ("requestBody" in operation) == (method == "post"), path
        named = {item["name"] for item in document["paths"][path].get("parameters", ()) if item["in"] == "path"}
        assert set(re.findall(r"{(\w+)}", path)) == named


def test_every_error_is_documented_as_a_problem(document):
    """Each error response of the document is a problem document; only health keeps its own shape when unhealthy."""
    problem = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    others = {
        (path, status)
        for path, _, operation in operations(document)
        for status, response in operation["responses"].items()
        if response["content"] != problem
    }
    assert {("/health", "503"), *((path, "200") for path in PATHS)} == others


def test_examples_fit_their_schemas(document):
    """The example of a request body is one that the schema accepts."""
    for path, _, operation in operations(document):
        for content in operation.get("requestBody", {}).get("content", {}).values():
            assert validator(document, content["schema"]).is_valid(content["example"]), path
        for parameter in operation.get("parameters", ()):
            assert {"name", "in", "required", "schema"} <= parameter.keys(), path


def test_chat_request_of_the_contract_fits(document):
    """The request of the contract with every field, and with the old name of the conversation, fits the schema."""
    check = validator(document, {"$ref": "#/components/schemas/ChatRequest"})
    body = {"message": "hi", "conversation_id": None, "provider": None, "model": None, "symbols": [], "stream": False}
    assert check.is_valid(body)
    assert check.is_valid({"message": "hi", "session_id": "6f1f3f6e-4b7e-4a38-9d0c-5b1f2f3a4c5d"})
    assert not check.is_valid({"message": "hi", "role": "system"})
    assert not check.is_valid({"message": 5})


def test_idempotency_key_is_documented(document):
    """Both chat operations document the Idempotency-Key header with its limit."""
    for path in ("/chat", "/chat/stream"):
        headers = {item["name"]: item for item in document["paths"][path]["post"].get("parameters", ())}
        key = headers["Idempotency-Key"]
        assert (key["in"], key["required"]) == ("header", False)
        assert key["schema"]["maxLength"] == 255


REQUESTS = [
    ("/chat", "post", CHAT, {"message": "How is AAPL doing compared to MSFT?"}),
    ("/chat", "post", CHAT, {"message": "price of ZZZZ?"}),
    ("/chat", "post", CHAT, {}),
    ("/chat/stream", "post", STREAM, {"message": "AAPL price?"}),
    ("/chat/stream", "post", STREAM, {"message": 5}),
    ("/health", "get", "/api/health", None),
    ("/health/live", "get", "/api/health/live", None),
    ("/models", "get", "/api/models", None),
    ("/config", "get", "/api/config", None),
    ("/openapi.json", "get", "/api/openapi.json", None),
    ("/reference", "get", "/api/reference", None),
    ("/symbols", "get", "/api/symbols?q=apple", None),
    ("/symbols", "get", "/api/symbols", None),
    ("/symbols/{symbol}", "get", "/api/symbols/AAPL", None),
    ("/symbols/{symbol}", "get", "/api/symbols/ZZZZ", None),
    ("/symbols/{symbol}/quote", "get", "/api/symbols/AAPL/quote", None),
    ("/symbols/{symbol}/quote", "get", "/api/symbols/no*symbol/quote", None),
    ("/symbols/{symbol}/price", "get", "/api/symbols/AAPL/price", None),
    ("/symbols/{symbol}/history", "get", "/api/symbols/AAPL/history?range=max&interval=1wk", None),
    ("/symbols/{symbol}/history", "get", "/api/symbols/AAPL/history?range=forever", None),
    ("/symbols/{symbol}/indicators", "get", "/api/symbols/FB/indicators", None),
    ("/symbols/{symbol}/fundamentals", "get", "/api/symbols/AAPL/fundamentals", None),
    ("/symbols/{symbol}/news", "get", "/api/symbols/AAPL/news", None),
    ("/symbols/{symbol}/chart", "get", "/api/symbols/AAPL/chart?range=1y", None),
    ("/symbols/stream", "get", "/api/symbols/stream?q=apple", None),
    ("/symbols/stream", "get", "/api/symbols/stream", None),
    ("/quotes", "get", "/api/quotes?symbols=AAPL,ZZZZ", None),
]


@pytest.mark.parametrize(("path", "method", "url", "body"), REQUESTS, ids=[f"{r[2]} {r[3] or ''}" for r in REQUESTS])
def test_responses_are_what_the_document_says(sample_app, document, path, method, url, body):
    """A real response has a documented status, a documented type, and a body that fits its schema."""
    response = sample_app.request(method.upper(), url, **({} if body is None else {"json": body}))
    contents = document["paths"][path][method]["responses"][str(response.status_code)]["content"]
    media_type = response.headers["content-type"].partition(";")[0]
    schema = contents[media_type]["schema"]
    if media_type.endswith("json"):
        check = validator(document, schema)
        assert [error.message for error in check.iter_errors(response.json())] == []
    else:
        assert schema["type"] == "string"


def test_every_documented_path_has_been_asked():
    """The table of real requests leaves no documented path out."""
    assert {path for path, *_ in REQUESTS} == PATHS


def test_frames_of_a_stream_fit_their_schemas(sample_app, document):
    """Each frame of a real stream fits the schema of its kind in the document."""
    schemas = {
        "meta": "MetaFrame",
        "tool": "ToolFrame",
        "chunk": "ChunkFrame",
        "done": "DoneFrame",
        "error": "ErrorFrame",
    }
    content = document["paths"]["/chat/stream"]["post"]["responses"]["200"]["content"]["text/event-stream"]
    documented = {reference["$ref"].rpartition("/")[2] for reference in content["schema"]["x-frames"]}
    assert set(schemas.values()) == documented
    seen = set()
    for frame in sample_app.tell("How is AAPL doing?").frames:
        seen.add(kind_of(frame))
        check = validator(document, {"$ref": f"#/components/schemas/{schemas[kind_of(frame)]}"})
        assert [error.message for error in check.iter_errors(frame)] == []
    assert {"meta", "tool", "chunk", "done"} == seen
