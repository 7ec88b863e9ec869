"""What every test stands on: no test may show a secret."""

import logging
from collections.abc import Iterator

import pytest

from tests.canaries import leaked


class _Everything(logging.Handler):
    """Keeps what is logged at any level: caplog would only show the phase in which it is asked."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.lines: list[str] = []
        self.setFormatter(logging.Formatter("%(name)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.lines += [self.format(record), repr(record.args)]


@pytest.fixture(autouse=True)
def no_secret_is_shown(request: pytest.FixtureRequest, capfd: pytest.CaptureFixture[str]) -> Iterator[None]:
    """Fails any test during which a canary shows up in a log record at DEBUG, on standard output or standard error."""
    if request.node.get_closest_marker("plants_a_secret"):
        yield
        return
    root, everything = logging.getLogger(), _Everything()
    before = root.level
    root.addHandler(everything)
    root.setLevel(logging.DEBUG)
    yield
    root.setLevel(before)
    root.removeHandler(everything)
    captured = capfd.readouterr()
    shown = "\n".join([*everything.lines, captured.out, captured.err])
    assert leaked(shown) == [], "a secret was printed or logged"
