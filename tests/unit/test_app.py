"""The composition root: one app per process, wired as the settings say."""

import subprocess
import sys
from pathlib import Path

import pytest

from shared.app import build_app
from shared.config import ConfigLoader
from shared.errors import RateLimited
from tests.unit.fakes.clock import FakeClock

THREADS = """
import threading
from shared.app import get_app
gate, apps = threading.Barrier(8), []
def build():
    gate.wait()
    apps.append(get_app())
threads = [threading.Thread(target=build) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(len({id(app) for app in apps}), len(apps))
"""


def test_eight_threads_build_one_app():
    """The first request may come on any thread; all of them share what the first one built."""
    root = Path(__file__).parents[2]
    run = subprocess.run([sys.executable, "-c", THREADS], cwd=root, capture_output=True, text=True, check=False)

    assert run.stdout.split() == ["1", "8"], run.stderr


@pytest.mark.parametrize("providers", [["sample"], ["yahoo", "sample"], ["sample", "yahoo"]])
async def test_sources_are_asked_in_the_configured_order(providers):
    """Building them asks nobody."""
    app = build_app(ConfigLoader({"MARKET_DATA_PROVIDERS": ",".join(providers)}).load())

    assert providers == [source.name for source in app.market.health()]
    await app.aclose()


async def test_services_are_made_once():
    """All requests of an instance share them."""
    app = build_app(ConfigLoader({"MARKET_DATA_PROVIDERS": "sample"}).load())

    assert app.services.chat is app.services.chat
    assert app.services.symbols is app.services.symbols
    await app.aclose()


async def test_clock_reaches_every_part():
    """With an injected clock a limit that is used up stays used up until that clock moves."""
    time = FakeClock()
    app = build_app(ConfigLoader({"MARKET_DATA_PROVIDERS": "sample"}).load(), clock=time.clock)
    app.rate_limiter.check("chat", "a", 1)
    with pytest.raises(RateLimited):
        app.rate_limiter.check("chat", "a", 1)
    time.advance(60)
    app.rate_limiter.check("chat", "a", 1)
    await app.aclose()


async def test_sample_answers_without_a_network():
    """A quote and the health of a keyless laptop."""
    app = build_app(ConfigLoader({"MARKET_DATA_PROVIDERS": "sample"}).load())

    assert (await app.services.symbols.quote("AAPL")).value == 430.47
    assert (await app.services.health.check()).status == "healthy"
    await app.aclose()
