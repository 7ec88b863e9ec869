"""Every failure becomes one application/problem+json document (RFC 9457), in one place."""

import json
import re

from azurefunctions.extensions.http.fastapi import Response
from pydantic import BaseModel, ConfigDict, ValidationError

from shared.errors import AppError, FieldError, InvalidRequest, MethodNotAllowed, SymbolNotFound, Unauthenticated

_MAX_FIELD_ERRORS = 20
# A name that is not of the contract is the client's own text: shown only where it is short and plain.
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.\-]{1,40}")


class FieldProblem(BaseModel):
    model_config = ConfigDict(defer_build=True)

    field: str
    message: str


class Problem(BaseModel):
    """The shape of every error response. ``error`` repeats ``detail`` for older clients."""

    model_config = ConfigDict(defer_build=True)

    type: str
    title: str
    status: int
    detail: str
    code: str
    request_id: str
    error: str
    errors: list[FieldProblem] | None = None
    retry_after: int | None = None
    suggestions: list[str] | None = None


def problem_response(error: AppError, request_id: str) -> Response:
    retry_after = None if error.retry_after is None else max(1, round(error.retry_after))
    problem = Problem(
        # Relative on purpose: the host name a client used is not known behind the Functions host.
        type=f"/problems/{error.code}",
        title=error.title,
        status=error.status,
        detail=error.detail,
        code=error.code,
        request_id=request_id,
        error=error.detail,
        errors=[FieldProblem(field=item.field, message=item.message) for item in error.errors] or None,
        retry_after=retry_after,
        suggestions=list(error.suggestions) if isinstance(error, SymbolNotFound) else None,
    )
    body = json.dumps(problem.model_dump(exclude_none=True), ensure_ascii=False).encode("utf-8", "replace")
    headers = {"Cache-Control": "no-store"}
    if retry_after is not None:
        headers["Retry-After"] = str(retry_after)
    if isinstance(error, MethodNotAllowed):
        headers["Allow"] = ", ".join(error.allow)
    if isinstance(error, Unauthenticated):
        headers["WWW-Authenticate"] = "Bearer"
    return Response(body, status_code=error.status, headers=headers, media_type="application/problem+json")


def validation_failure(exc: ValidationError, where: str) -> InvalidRequest:
    """The request does not fit its model; names the fields, never what was sent in them."""
    raw = exc.errors(include_url=False, include_input=False, include_context=False)
    errors = [
        FieldError(_field(item["loc"]) or where, _message(item["type"], item["msg"]))
        for item in raw[:_MAX_FIELD_ERRORS]
    ]
    named = "; ".join(f"{item.field}: {item.message}" for item in errors[:3])
    return InvalidRequest(f"The {where} does not fit the contract. {named}", code="validation_failed", errors=errors)


def _field(loc: tuple[int | str, ...]) -> str:
    return ".".join(part if _PLAIN_NAME.fullmatch(part) else "(other)" for part in map(str, loc))


def _message(kind: str, text: str) -> str:
    # The library's own text names the class of the model.
    return "must be a JSON object" if kind == "model_type" else text.removeprefix("Value error, ")
