"""Logging as it is set up at a cold start, on handlers that the host has installed."""

import asyncio
import io
import logging

import pytest

from shared.config import ConfigLoader
from shared.config.environment import VARIABLES
from shared.observability.logging import configure_logging, secret_values
from shared.observability.redaction import RedactingFormatter
from shared.observability.request_context import set_request_id
from tests.canaries import CANARIES, leaked

LIBRARIES = (
    "httpx",
    "httpx2",
    "httpcore",
    "httpcore2",
    "urllib3",
    "openai",
    "azure.core",
    "azure.identity",
    "yfinance",
)


@pytest.fixture
def settings():
    return ConfigLoader({"OPENAI_API_KEY": CANARIES["OPENAI_API_KEY"], "LOG_LEVEL": "INFO"}).load()


@pytest.fixture
def output(settings):
    """What the host's handler has written since logging was configured; everything is put back afterwards."""
    root, written = logging.getLogger(), io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(logging.Formatter("%(request_id)s|%(message)s"))
    access = logging.getLogger("uvicorn.access")
    touched = list(map(logging.getLogger, (*LIBRARIES, "shared", "functions", "peewee", "asyncio", "curl_cffi")))
    levels, filters = [logger.level for logger in touched], list(access.filters)
    _configure(settings, handler)
    root.addHandler(handler)
    yield written
    root.removeHandler(handler)
    access.filters[:] = filters
    for logger, level in zip(touched, levels, strict=True):
        logger.setLevel(level)


def _configure(settings, handler):
    """As at a cold start, where the host's handler is the only one; pytest's own must not be made to redact."""
    root = logging.getLogger()
    others, root.handlers[:] = list(root.handlers), [handler]
    try:
        return configure_logging(settings)
    finally:
        root.handlers[:] = others


@pytest.mark.plants_a_secret
def test_key_in_any_record_is_redacted(output):
    """A library's warning with the key in it reaches the host without the key."""
    logging.getLogger("httpx").warning("GET https://x.example/?q=%s", CANARIES["OPENAI_API_KEY"])

    assert output.getvalue() == "-|GET https://x.example/?q=***\n"


@pytest.mark.plants_a_secret
@pytest.mark.parametrize("name", LIBRARIES)
def test_libraries_that_print_urls_are_quiet(output, name):
    """Their INFO lines hold whole URLs, keys included."""
    logging.getLogger(name).info("GET https://x.example/?apikey=%s", CANARIES["ALPHA_VANTAGE_API_KEY"])

    assert output.getvalue() == ""


def test_own_loggers_take_the_configured_level(output):
    """INFO of ours is written, DEBUG is not."""
    logging.getLogger("shared.market").info("shown")
    logging.getLogger("shared.market").debug("not shown")

    assert output.getvalue() == "-|shown\n"


def test_records_of_tasks_carry_the_request_id(output):
    """Each task logs under the id that was set before it was made, however they interleave."""

    async def serve(request_id: str) -> None:
        set_request_id(request_id)
        async with asyncio.TaskGroup() as group:
            for part in ("a", "b"):
                group.create_task(work(f"{request_id} {part}"))

    async def work(text: str) -> None:
        await asyncio.sleep(0)
        logging.getLogger("shared.x").info(text)

    async def main() -> None:
        await asyncio.gather(*(serve(f"request-{number}") for number in range(20)))

    asyncio.run(main())
    lines = [line.split("|") for line in output.getvalue().splitlines()]

    assert len(lines) == 40
    assert [line for line in lines if not line[1].startswith(f"{line[0]} ")] == []


def test_handler_without_a_format_shows_the_request_id(settings, output):
    """The host's own handler has none; a line must still be found by the id that a client reports."""
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    _configure(settings, handler)
    handler.handle(
        logging.makeLogRecord({"name": "shared.x", "levelname": "INFO", "msg": "hello", "request_id": "r-1"})
    )

    assert written.getvalue() == "INFO shared.x [r-1]: hello\n"


def test_configuring_twice_changes_nothing(settings, output):
    """A second cold start in one process neither wraps the formatter again nor adds a filter."""
    (handler,) = [item for item in logging.getLogger().handlers if isinstance(item.formatter, RedactingFormatter)]
    before = (handler.formatter, list(handler.filters))
    _configure(settings, handler)

    assert before == (handler.formatter, list(handler.filters))


def test_access_line_of_the_server_is_dropped(output):
    """One line of our own per request is enough."""
    logging.getLogger("uvicorn.access").warning("GET /api/x 200")

    assert output.getvalue() == ""


def test_every_secret_of_the_tree_is_known_to_the_redactor():
    """Whatever variable is marked as a secret, its value is one that the redactor is given."""
    secrets = {variable.name: f"secret-of-{variable.name}" for variable in VARIABLES if variable.secret}

    assert {*secrets.values()} == {*secret_values(ConfigLoader(secrets).load())}


def test_redactor_of_the_configuration_hides_its_keys(settings):
    """Without any shape around them."""
    assert leaked(_configure(settings, logging.NullHandler()).redact(CANARIES["OPENAI_API_KEY"])) == []
