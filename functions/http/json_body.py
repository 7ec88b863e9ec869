"""Reads a request body as strict JSON: what two parsers could read differently, or one could choke on, is refused."""

import json
import math
import re
from typing import Any

from azurefunctions.extensions.http.fastapi import Request
from starlette.requests import ClientDisconnect

from shared.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType

# Possessive: a string that never ends is skipped like any other, not tried again from each of its quotes.
_BRACKETS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"?|[\[{]|[\]}]', re.DOTALL)


async def read_json(request: Request, *, max_bytes: int, max_depth: int) -> Any:
    """The decoded body. Raises UnsupportedMediaType, PayloadTooLarge or InvalidRequest."""
    _check_headers(request)
    try:
        body = await _read(request, max_bytes)
    except ClientDisconnect:
        # Nobody reads the answer; this keeps a client that gave up from looking like a failure of ours.
        raise InvalidRequest("The body broke off.", code="incomplete_body") from None
    return parse_json(body, max_depth=max_depth)


def parse_json(body: bytes, *, max_depth: int) -> Any:
    """UTF-8, no duplicate keys, no NaN or infinity, no lone surrogates, at most ``max_depth`` levels."""
    if _is_deeper(body, max_depth):
        raise InvalidRequest(f"The JSON body is nested more than {max_depth} levels deep.", code="invalid_json")
    try:
        document = json.loads(
            body.decode("utf-8"),
            object_pairs_hook=_unique_keys,
            parse_constant=_refuse_constant,
            parse_float=_finite,
        )
    except UnicodeDecodeError:
        raise InvalidRequest("The body is not valid UTF-8.", code="invalid_json") from None
    except json.JSONDecodeError as exc:
        detail = f"The body is not valid JSON (line {exc.lineno}, column {exc.colno})."
        raise InvalidRequest(detail, code="invalid_json") from None
    except (ValueError, RecursionError):
        # ValueError: an integer with more digits than Python converts.
        raise InvalidRequest("The body is not valid JSON.", code="invalid_json") from None
    if b"\\u" in body and _has_lone_surrogate(document):
        raise InvalidRequest("The body holds a lone surrogate, which is no character.", code="invalid_json")
    return document


def _check_headers(request: Request) -> None:
    media_type, *parameters = request.headers.get("content-type", "").lower().split(";")
    if media_type.strip() != "application/json":
        raise UnsupportedMediaType("Send the body as application/json.")
    charsets = [item.partition("=")[2].strip(' "') for item in parameters if item.strip().startswith("charset")]
    if any(charset not in {"utf-8", "utf8"} for charset in charsets):
        raise UnsupportedMediaType("Send the body in UTF-8.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the body without Content-Encoding.")


async def _read(request: Request, max_bytes: int) -> bytes:
    too_large = PayloadTooLarge(f"The body may have at most {max_bytes} bytes.")
    declared = request.headers.get("content-length", "")
    if declared.isdecimal() and int(declared) > max_bytes:
        raise too_large
    chunks, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        # Counted, not believed: a chunked body declares nothing.
        if size > max_bytes:
            raise too_large
        chunks.append(chunk)
    return b"".join(chunks)


def _is_deeper(body: bytes, max_depth: int) -> bool:
    # The parser recurses, so depth is counted before it starts; strings are skipped, they may hold brackets.
    if body.count(b"[") + body.count(b"{") <= max_depth:
        return False
    depth = 0
    for match in _BRACKETS.finditer(body):
        token = match[0]
        if token in {b"[", b"{"}:
            depth += 1
            if depth > max_depth:
                return True
        elif token in {b"]", b"}"}:
            depth -= 1
    return False


def _unique_keys(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    keys = dict(pairs)
    if len(keys) != len(pairs):
        raise InvalidRequest("The body names a key twice.", code="duplicate_key")
    return keys


def _refuse_constant(name: str) -> Any:
    raise InvalidRequest(f"{name} is not a JSON number.", code="invalid_json")


def _finite(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise InvalidRequest("A number in the body is too large.", code="invalid_json")
    return value


def _has_lone_surrogate(document: Any) -> bool:
    try:
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except UnicodeEncodeError:
        return True
    return False
