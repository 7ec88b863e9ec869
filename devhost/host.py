"""The order in which a host comes up, serves and goes down again."""

import asyncio
import os
import socket
import sys
import threading
from collections.abc import Sequence
from dataclasses import dataclass

from devhost import runtime
from devhost.admin import AdminApi
from devhost.check import find_name_clashes, find_problems
from devhost.cors import CorsLayer, CorsPolicy
from devhost.environment import fill_environment, is_disabled
from devhost.errors import Problem, StartupError
from devhost.functions import Function
from devhost.gateway import Gateway, build_worker_app
from devhost.invocation import run_timer
from devhost.keys import Keys, load_keys
from devhost.listing import describe
from devhost.logs import configure_logging
from devhost.options import Options
from devhost.overlap import find_overlaps
from devhost.routes import Router, build_routes
from devhost.server import Server, base_url, bind, loop_factory, port_error
from devhost.settings import (
    HostSettings,
    LocalSettings,
    cors_origins,
    load_host_settings,
    load_local_settings,
    load_welcome,
)
from devhost.signals import StopSignals, leave
from devhost.timer_status import TimerStatusFile
from devhost.timers import SystemClock, TimerService, build_timers

# Beyond the drain: how long tasks and threads that ignore cancellation may delay the exit.
_LAST_RESORT_SECONDS = 5


@dataclass(frozen=True)
class _Configuration:
    host: HostSettings
    local: LocalSettings
    welcome: tuple[str, ...]


def check(options: Options) -> int:
    """Indexes only; 0 when the app would come up in Azure without surprises, else 1."""
    configuration = _prepare(options)
    with asyncio.Runner(loop_factory=loop_factory()) as runner:
        app = runner.run(runtime.load_app(options.app_dir))
    prefix = configuration.host.route_prefix
    print("\n".join(describe(app.functions, prefix)))
    problems = find_problems(app, prefix, os.environ, options.max_import_seconds)
    _report("problem", problems)
    summary = f"{len(problems)} problem(s)" if problems else "OK"
    print(f"devhost: {summary}, {len(app.functions)} functions indexed in {app.seconds:.2f} s")
    return 1 if problems else 0


def serve(options: Options) -> int:
    """Serves until a signal; 0 after an orderly stop. Raises StartupError."""
    signals = StopSignals()
    signals.install()
    try:
        configuration = _prepare(options)
        port = configuration.local.port if options.port is None else options.port
        # A service that the app needs to find running (say, a database) belongs between the socket and the loop: after
        # the settings, which may configure it, before the app is imported, which may read variables that it adds, and
        # it ends after the app's last task.
        with bind(options.host, port) as listener, asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_serve(options, configuration, listener, signals))
    except KeyboardInterrupt:
        print("devhost: stopped before it was ready", file=sys.stderr)
        return 128 + (signals.received or 0)


def _prepare(options: Options) -> _Configuration:
    """Reads the settings and makes the process look like a worker; the app is not imported yet."""
    if not options.app_dir.is_dir():
        raise StartupError(f"{options.app_dir} is not a directory; name the one of function_app.py with --app-dir")
    configure_logging(options.verbose)
    local = load_local_settings(options.app_dir)
    fill_environment(os.environ, local.values, options.app_dir)
    runtime.put_first_on_path(options.app_dir)
    # After the environment is filled, because local settings may hold overrides of host.json.
    return _Configuration(load_host_settings(options.app_dir, os.environ), local, load_welcome(options.app_dir))


async def _serve(options: Options, configuration: _Configuration, listener: socket.socket, signals: StopSignals) -> int:
    _say(f"loading the app in {options.app_dir} ...")
    app = await runtime.load_app(options.app_dir)
    _say(f"{len(app.functions)} functions, loaded in {app.seconds:.2f} s")
    host = _assemble(options, configuration, app.functions)
    stop = asyncio.Event()
    signals.listen_on(stop)
    url = base_url(options.host, listener)

    def announce() -> None:
        print("\n".join(describe(host.functions, configuration.host.route_prefix, url, host.disabled)), file=sys.stderr)
        print(f"devhost: ready on {url}", flush=True)
        # Last, so that what the app wants people to read is what they see.
        for line in configuration.welcome:
            print(line.replace("{base_url}", url), flush=True)
        host.timers.start()

    server = Server(host.front, announce, options.drain_seconds)
    await _run_until(stop, server, host, listener, options)
    return 0


@dataclass(frozen=True)
class _Host:
    """The parts that are started and stopped."""

    functions: Sequence[Function]
    disabled: frozenset[str]
    front: CorsLayer | Gateway
    timers: TimerService
    admin: AdminApi


def _assemble(options: Options, configuration: _Configuration, indexed: Sequence[Function]) -> _Host:
    functions = _loadable(indexed, configuration.host.only_functions)
    disabled = frozenset(function.name for function in functions if is_disabled(function.name, os.environ))
    active = [function for function in functions if function.name not in disabled]
    routes, refused = build_routes(active, configuration.host.route_prefix)
    timers, unscheduled = build_timers(active, os.environ)
    _report("not loaded", [*refused, *unscheduled])
    _report("warning", find_overlaps(routes))
    rejected = {problem.function for problem in (*refused, *unscheduled)}
    functions = [function for function in functions if function.name not in rejected]
    if not functions:
        raise StartupError("none of the app's functions can be loaded; see the messages above")
    statuses = TimerStatusFile(options.data_dir / "timers.json")
    service = TimerService(timers, run_timer, statuses, SystemClock())
    admin = AdminApi(functions, service, disabled)
    gateway = Gateway(
        router=Router(routes),
        worker=build_worker_app() if routes else None,
        admin=admin,
        keys=_keys() if options.enable_auth else None,
        function_timeout=configuration.host.function_timeout,
    )
    origins = configuration.local.cors_origins or cors_origins(os.environ.get("CORS_ALLOWED_ORIGINS", ""))
    policy = CorsPolicy(origins, configuration.local.cors_credentials)
    return _Host(functions, disabled, CorsLayer(gateway, policy) if policy.origins else gateway, service, admin)


def _loadable(indexed: Sequence[Function], only: frozenset[str] | None) -> list[Function]:
    """Of names that differ only in case the host keeps the first."""
    _report("not unique", find_name_clashes(indexed))
    first: dict[str, Function] = {}
    for function in indexed:
        if only is None or function.name.lower() in only:
            first.setdefault(function.name.lower(), function)
    return list(first.values())


async def _run_until(
    stop: asyncio.Event, server: Server, host: _Host, listener: socket.socket, options: Options
) -> None:
    serving = asyncio.create_task(server.serve([listener]))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    if serving.done():
        stopping.cancel()
        try:
            await serving
        except OSError as error:
            raise port_error(options.host, listener.getsockname()[1], error) from error
        return
    _say(f"stopping; running requests have {options.drain_seconds} s (a second signal stops at once)")
    _leave_anyway_after(options.drain_seconds + _LAST_RESORT_SECONDS)
    await host.timers.stop(options.drain_seconds)
    server.should_exit = True
    if host.admin.invocations:
        await asyncio.wait(host.admin.invocations, timeout=options.drain_seconds)
    await serving


def _leave_anyway_after(seconds: float) -> None:
    last_resort = threading.Timer(seconds, leave, (0, "devhost: a function ignores the stop; leaving anyway"))
    last_resort.daemon = True
    last_resort.start()


def _keys() -> Keys:
    keys = load_keys(os.environ)
    for variable, value in keys.generated.items():
        _say(f"{variable} is not set; this run uses {value}")
    return keys


def _report(what: str, problems: Sequence[Problem]) -> None:
    for problem in problems:
        _say(f"{what}: {problem}")


def _say(text: str) -> None:
    print(f"devhost: {text}", file=sys.stderr, flush=True)
