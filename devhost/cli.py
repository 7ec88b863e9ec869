"""The command line: parses it, runs the host or the check, and turns errors into one line and an exit code."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from devhost import host
from devhost.errors import StartupError
from devhost.options import Options


def main(arguments: Sequence[str] | None = None) -> int:
    parsed = _parser().parse_args(arguments)
    app_dir = Path(parsed.app_dir).resolve()
    options = Options(
        app_dir=app_dir,
        data_dir=(app_dir / parsed.data_dir).resolve(),
        host=parsed.host,
        port=parsed.port,
        enable_auth=parsed.enable_auth,
        verbose=parsed.verbose,
        drain_seconds=parsed.drain_seconds,
        max_import_seconds=parsed.max_import_seconds,
    )
    try:
        return host.check(options) if parsed.check else host.serve(options)
    except StartupError as error:
        if error.detail:
            print(error.detail, file=sys.stderr)
        print(f"devhost: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="devhost", description="Runs an Azure Functions Python v2 app locally.")
    parser.add_argument("--app-dir", default=".", help="directory of function_app.py (default: the current one)")
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: %(default)s)")
    parser.add_argument(
        "--port",
        type=_port,
        help="port, 0 for a free one (default: Host.LocalHttpPort of local.settings.json, or 7071)",
    )
    parser.add_argument(
        "--data-dir", default=".data", help="where timers remember their last run, below the app (default: %(default)s)"
    )
    parser.add_argument("--check", action="store_true", help="index the app, list its functions and problems, and exit")
    parser.add_argument("--enable-auth", action="store_true", help="ask for keys as Azure does")
    parser.add_argument("--verbose", action="store_true", help="show requests and the runtime's own log")
    parser.add_argument(
        "--drain-seconds", type=_seconds, default=5, help="time for running requests at stop (default: %(default)s)"
    )
    parser.add_argument(
        "--max-import-seconds", type=float, default=2.0, help="import time --check allows (default: %(default)s)"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port number (0-65535)")
    return int(text)


def _seconds(text: str) -> int:
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number of seconds")
    return int(text)
