"""Keeps secrets out of every log line, whoever wrote it."""

import logging
import re
from collections.abc import Iterable

# Shapes of credentials that libraries put into their own messages; known values are added at start-up.
_SHAPES = (
    re.compile(r"(?i)(?<=[?&])((?:api_?key|code|(?:access_|refresh_|id_)?token|client_secret|sig|crumb)=)[^&\s\"']+"),
    re.compile(r"(?i)\b(bearer\s+)[A-Za-z0-9._~+/=-]{8,}"),
    re.compile(
        r"(?i)((?:api[-_]key|x-functions-key|authorization)['\"]?\s*[:=,]\s*b?['\"]?(?:(?:basic|token)\s+)?)[^\s'\",}]{6,}"
    ),
    re.compile(r"\b()(?:sk|xai|gsk)-[A-Za-z0-9_-]{6,}"),
    re.compile(r"(://[^/\s:@]*:)[^@\s/]+(?=@)"),
)


class Redactor:
    """Replaces known secret values and anything that looks like a credential by ``***``."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        # Very short values would turn ordinary words into stars.
        self._secrets = tuple(sorted({value for value in secrets if len(value) >= 6}, key=len, reverse=True))

    def redact(self, text: str) -> str:
        for secret in self._secrets:
            text = text.replace(secret, "***")
        for shape in _SHAPES:
            text = shape.sub(r"\1***", text)
        return text


class RedactingFormatter(logging.Formatter):
    """Formats with ``inner`` and redacts the result, tracebacks included."""

    def __init__(self, inner: logging.Formatter, redactor: Redactor) -> None:
        super().__init__()
        self._inner = inner
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return self._redactor.redact(self._inner.format(record))
