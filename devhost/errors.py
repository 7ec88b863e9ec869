"""The one error the command line turns into a line on stderr and exit code 1, and the record of a lesser problem."""

from dataclasses import dataclass


class StartupError(Exception):
    """The app cannot be served; the message names what is wrong and the way out, `detail` is printed above it."""

    def __init__(self, message: str, detail: str = "") -> None:
        super().__init__(message)
        self.detail = detail


@dataclass(frozen=True)
class Problem:
    """Something wrong with one function (or with the app when `function` is None) that leaves the others intact."""

    function: str | None
    text: str

    def __str__(self) -> str:
        return self.text if self.function is None else f"function {self.function!r}: {self.text}"
