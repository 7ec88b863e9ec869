"""What every test stands on: no test may show a secret, and none may reach beyond this machine."""

import logging
from collections.abc import Iterator

import pytest

from tests.canaries import leaked


@pytest.fixture(autouse=True)
def no_secret_is_shown(
    request: pytest.FixtureRequest, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> Iterator[None]:
    """Fails any test during which a canary shows up in a log record at DEBUG, on standard output or standard error."""
    if request.node.get_closest_marker("plants_a_secret"):
        yield
        return
    caplog.set_level(logging.DEBUG)
    yield
    captured = capfd.readouterr()
    shown = "\n".join([caplog.text, captured.out, captured.err, *map(str, (r.args for r in caplog.records))])
    assert leaked(shown) == [], "a secret was printed or logged"
