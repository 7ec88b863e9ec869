"""What a caller is told when no model could answer: one error per reaction, in our own words."""

from shared.errors import AppError, DeadlineExceeded, ModelUnavailable, Unservable, UpstreamMalformed
from shared.llm.errors import ErrorKind, ModelError

_TIMEOUTS: frozenset[ErrorKind] = frozenset({"first_token_timeout", "idle_timeout", "deadline"})
_MALFORMED: frozenset[ErrorKind] = frozenset(
    {"truncated", "empty_answer", "upstream_malformed", "bad_content_type", "bad_request", "redirected", "too_large"}
)


def caller_error(error: ModelError) -> AppError:
    """The error for the client; ``code`` keeps the kind, the upstream's own text is not in it."""
    if error.kind == "content_filter":
        return Unservable("The model's provider filtered this request. Rephrase the question.", code="content_filtered")
    if error.kind == "context_length":
        return Unservable("The conversation is too long for the model. Start a new one.", code="context_too_long")
    if error.kind in _TIMEOUTS:
        return DeadlineExceeded("The model did not answer in time. Try again.", code=f"model_{error.kind}")
    if error.kind in _MALFORMED:
        return UpstreamMalformed("The model's answer broke off or could not be read. Try again.", code=error.kind)
    if error.kind == "upstream_lost":
        return UpstreamMalformed("The connection to the model was lost. Try again.", code=error.kind)
    return ModelUnavailable(
        "No language model can answer right now. Try again later.",
        code=f"model_{error.kind}",
        retry_after=error.retry_after,
    )
