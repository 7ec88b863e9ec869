"""Sets up logging once per cold start: request ids on our records, redaction on all, quiet libraries."""

import logging

from shared.config import Settings
from shared.observability.redaction import RedactingFormatter, Redactor
from shared.observability.request_context import current_request_id

# At INFO these print whole URLs, query strings and keys included.
_URL_LOGGERS = ("httpx", "httpx2", "httpcore", "httpcore2", "urllib3", "openai", "azure.core", "azure.identity")
_CHATTY_LOGGERS = ("peewee", "yfinance", "asyncio", "curl_cffi")


class _RequestIdFilter(logging.Filter):
    def filter(self, record: logging.LogRecord) -> bool:
        record.request_id = getattr(record, "request_id", None) or current_request_id() or "-"
        return True


def configure_logging(settings: Settings) -> Redactor:
    """Idempotent. Works on the handlers that the host has installed, so that it holds for what libraries log too."""
    redactor = Redactor(secret_values(settings))
    root = logging.getLogger()
    for handler in root.handlers:
        _adopt(handler, redactor)
    for name in ("shared", "functions"):
        logging.getLogger(name).setLevel(settings.logging.level)
    for name in (*_URL_LOGGERS, *_CHATTY_LOGGERS):
        logging.getLogger(name).setLevel(logging.WARNING)
    # One line of our own per request says more than the server's access line; in Azure each line is a message.
    logging.getLogger("uvicorn.access").addFilter(_drop)
    return redactor


def secret_values(settings: Settings) -> list[str]:
    """Every secret of the settings tree, for the redactor."""
    keys = [provider.api_key for provider in settings.model.providers.values()]
    keys += [settings.market.alpha_vantage_api_key, settings.redis.password]
    return [key.get_secret_value() for key in keys if key is not None]


def _adopt(handler: logging.Handler, redactor: Redactor) -> None:
    if isinstance(handler.formatter, RedactingFormatter):
        return
    inner = handler.formatter or logging.Formatter("%(levelname)s %(name)s [%(request_id)s]: %(message)s")
    handler.addFilter(_RequestIdFilter())
    handler.setFormatter(RedactingFormatter(inner, redactor))


def _drop(record: logging.LogRecord) -> bool:  # noqa: ARG001 - the same answer for every record
    return False
