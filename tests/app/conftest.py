"""Running apps, shared by all tests that do not wear them out; each starts when the first test asks for it."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.app.apps import MODEL, SAMPLE, ModelApp, copy_app, running
from tests.app.client import AppClient
from tests.canaries import CANARIES
from tests.doubles.openai_scripts import analyst
from tests.doubles.openai_server import OpenAIServer
from tests.doubles.yahoo import YahooDouble


@pytest.fixture(scope="session")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_app(tmp_path_factory.mktemp("apps") / "app")


@pytest.fixture(scope="session")
def sample_app(app_dir: Path) -> Iterator[AppClient]:
    """No key, no network: the offline analyst over the bundled sample."""
    with running(app_dir, SAMPLE) as client:
        yield client


@pytest.fixture(scope="session")
def _model_app(app_dir: Path) -> Iterator[ModelApp]:
    with OpenAIServer() as double:
        env = {"OPENAI_BASE_URL": double.base_url, "OPENAI_API_KEY": CANARIES["OPENAI_API_KEY"], "OPENAI_MODEL": MODEL}
        with running(app_dir, {**SAMPLE, **env}) as client:
            yield ModelApp(client, double)


@pytest.fixture
def model_app(_model_app: ModelApp) -> Iterator[ModelApp]:
    """The model is a sensible analyst until the test gives it another script; nothing has been asked of it yet."""
    double = _model_app.double
    double.script = analyst
    double.requests.clear()
    double.sent = double.completed = double.disconnects = 0
    yield _model_app
    double.assert_stateless()


@pytest.fixture(scope="session")
def yahoo() -> Iterator[YahooDouble]:
    with YahooDouble() as double:
        yield double


@pytest.fixture(scope="session")
def yahoo_app(app_dir: Path, yahoo: YahooDouble) -> Iterator[AppClient]:
    """Yahoo alone, and it answers."""
    with running(app_dir, {"MARKET_DATA_PROVIDERS": "yahoo", **yahoo.environment()}) as client:
        yield client


@pytest.fixture(scope="session")
def dead_yahoo() -> Iterator[YahooDouble]:
    """Drops every connection."""
    with YahooDouble() as double:
        double.faults[""] = {"drop": True, "times": 1_000_000}
        yield double


@pytest.fixture(scope="session")
def outage_app(app_dir: Path, dead_yahoo: YahooDouble) -> Iterator[AppClient]:
    """Yahoo alone, and it is down."""
    with running(app_dir, {"MARKET_DATA_PROVIDERS": "yahoo", **dead_yahoo.environment()}) as client:
        yield client


@pytest.fixture(scope="session")
def stand_in_app(app_dir: Path, dead_yahoo: YahooDouble) -> Iterator[AppClient]:
    """Yahoo is down, and the sample stands in: a laptop without internet access, with the settings it comes with."""
    with running(app_dir, dead_yahoo.environment()) as client:
        yield client


@pytest.fixture
def start_app(app_dir: Path) -> Iterator[Callable[..., AppClient]]:
    """Starts an app of the test's own, for tests that use up what is counted."""
    with ExitStack() as stack:
        yield lambda **env: stack.enter_context(running(app_dir, {**SAMPLE, **env}))
