"""One log handler on stderr: the app's own records and devhost's, the runtime's only when they are warnings."""

import io
import logging
import sys

_SYSTEM_LOGGERS = (
    "devhost.access",
    "azure.functions",
    "azure_functions_worker",
    "azure_functions_runtime",
    "uvicorn",
    "asyncio",
)


def configure_logging(verbose: bool) -> None:
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)-7s %(name)s: %(message)s", "%H:%M:%S"))
    if not verbose:
        handler.addFilter(_is_for_people)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # An app's print() shows at once, also in a pipe, and is not lost at an immediate stop.
        sys.stdout.reconfigure(line_buffering=True)
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.INFO)
    # The wheel logs an import error that it also returns, with the whole of sys.path; devhost prints it once.
    logging.getLogger("azure.functions").addFilter(lambda record: record.module != "wrappers")


def _is_for_people(record: logging.LogRecord) -> bool:
    is_system = any(record.name == name or record.name.startswith(f"{name}.") for name in _SYSTEM_LOGGERS)
    return not is_system or record.levelno >= logging.WARNING
