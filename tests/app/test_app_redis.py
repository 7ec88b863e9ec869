"""The app with a real Redis: instances share what they fetch, and an outage of Redis only degrades."""

from pathlib import Path

import httpx2
import pytest

from tests.app.host import HostProcess
from tests.canaries import CANARIES, leaked
from tests.doubles.redis_server import BINARY, MISSING, RedisServer
from tests.doubles.yahoo import YahooDouble

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.skipif(BINARY is None, reason=MISSING)


def environment(redis: RedisServer, yahoo: YahooDouble) -> dict[str, str]:
    return {
        **yahoo.environment(),
        "MARKET_DATA_PROVIDERS": "yahoo",
        "REDIS_HOST": "127.0.0.1",
        "REDIS_PORT": str(redis.port),
        "OPENAI_API_KEY": CANARIES["OPENAI_API_KEY"],
        "MODEL_PROVIDER": "offline",
    }


def test_instances_share_what_they_fetch_and_live_without_redis() -> None:
    """One upstream call serves two instances; when Redis dies, requests go on and health says 'degraded'."""
    with RedisServer() as redis, YahooDouble() as yahoo:
        env = environment(redis, yahoo)
        with HostProcess.start(ROOT, env=env) as first, HostProcess.start(ROOT, env=env) as second:
            quote = httpx2.get(f"{first.base_url}/api/symbols/AAPL/quote", timeout=20).json()
            calls = len(yahoo.paths())
            assert httpx2.get(f"{second.base_url}/api/symbols/AAPL/quote", timeout=20).json() == quote
            assert len(yahoo.paths()) == calls
            health = httpx2.get(f"{first.base_url}/api/health").json()
            assert (health["status"], health["checks"]["cache"]) == ("healthy", "ok")

            redis.stop()
            answer = httpx2.get(f"{second.base_url}/api/symbols/MSFT/quote", timeout=20)
            assert (answer.status_code, answer.json()["source"]) == (200, "yahoo")
            assert httpx2.get(f"{second.base_url}/api/health").json()["checks"]["cache"] == "down"
            assert leaked(first.output() + second.output()) == []
