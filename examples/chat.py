"""Ask from the terminal: shows what is being looked up, the answer as it is written, and where its figures come from.

    python examples/chat.py "How is AAPL doing compared to MSFT?"

Without a question it asks for one. When nothing listens at --url it starts a server of its own and stops it at the end.
"""

import argparse
import contextlib
import http.client
import json
import re
import subprocess
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

ROOT = Path(__file__).resolve().parents[1]
DIM, BOLD, RESET = ("\033[2m", "\033[1m", "\033[0m") if sys.stdout.isatty() else ("", "", "")
Frame = dict[str, Any]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("question", nargs="?")
    parser.add_argument("--url", default="http://127.0.0.1:7071")
    arguments = parser.parse_args()
    with server(arguments.url) as url:
        if arguments.question:
            return ask(url, arguments.question)
        return converse(url)


def converse(url: str) -> int:
    """Questions until the end of input."""
    while True:
        try:
            question = input(f"{BOLD}Your question (empty to leave):{RESET} ").strip()
        except EOFError:
            return 0
        if not question:
            return 0
        ask(url, question)
        print()


def ask(url: str, question: str) -> int:
    """Prints one answer; 0 when it came to its end."""
    answer = ""
    for frame in frames(url, question):
        if "chunk" in frame:
            answer += frame["chunk"]
            print(frame["chunk"], end="", flush=True)
            continue
        match frame["event"]:
            case "meta":
                note(f"{frame['provider']} · {frame['model']}")
            case "tool" if frame["status"] != "started":
                note(f"{frame['name']} {frame['symbol'] or ''} {frame['status']} in {frame['ms']} ms")
            case "done":
                print()
                show_sources(frame, answer)
                return 0
            case "error":
                print(f"\n{frame['error']} ({frame['code']})", file=sys.stderr)
    return 1


def frames(url: str, question: str) -> Iterator[Frame]:
    """The JSON objects of the event stream, as they arrive; a problem response becomes an error frame."""
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=60)
    body = json.dumps({"message": question})
    connection.request("POST", "/api/chat/stream", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    try:
        if response.status != 200:
            problem = json.load(response)
            yield {"event": "error", "error": problem["detail"], "code": problem["code"]}
            return
        while line := response.readline():
            data = line.decode().removeprefix("data: ").strip()
            if line.startswith(b"data: ") and data != "[DONE]":
                yield json.loads(data)
    finally:
        connection.close()


def show_sources(done: Frame, answer: str) -> None:
    """The facts that the answer states, and what it says about itself."""
    stated = [fact for fact in done["facts"] if states(answer, fact["value"])]
    if stated:
        print(f"\n{BOLD}Figures in this answer{RESET}")
    for fact in stated:
        stale = ", stale" if fact["stale"] else ""
        print(
            f"  {fact['symbol']:<7} {fact['name'].replace('_', ' '):<34} {fact['value']:>14,} {fact['unit']:<8} "
            f"{DIM}{fact['source']}, {fact['as_of']}{stale}{RESET}"
        )
    if not done["grounding"]["ok"]:
        note(f"withheld, no source: {', '.join(done['grounding']['unverified'])}")
    note(done["disclaimer"])


def states(answer: str, value: float) -> bool:
    """Whether the answer shows the value, at any rounding to at least one decimal or as a whole number."""
    numbers = set(re.findall(r"\d[\d,]*(?:\.\d+)?", answer))
    roundings = {f"{abs(value):,.{digits}f}" for digits in range(0 if value == int(value) else 1, 5)}
    return bool(numbers & roundings)


def note(text: str) -> None:
    print(f"{DIM}{text}{RESET}", file=sys.stderr, flush=True)


@contextlib.contextmanager
def server(url: str) -> Generator[str]:
    """The given server when it is up, else one of our own."""
    if is_up(url):
        yield url
        return
    note(f"Nothing listens at {url}: starting a server for this question.")
    command = [sys.executable, "-m", "devhost", "--port", "0"]
    process = subprocess.Popen(  # noqa: S603 - our own interpreter and module
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        yield ready_url(process)
    finally:
        process.terminate()
        process.wait(20)


def ready_url(process: "subprocess.Popen[str]") -> str:
    """The address that the server prints when it is ready."""
    marker = "devhost: ready on "
    if process.stdout is not None:
        for line in process.stdout:
            if line.startswith(marker):
                return line.removeprefix(marker).strip()
    sys.exit("The server did not start; `make run` shows why.")


def is_up(url: str) -> bool:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.hostname or "", parts.port or 80, timeout=2)
    try:
        connection.request("GET", "/api/health/live")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    with contextlib.suppress(KeyboardInterrupt):
        sys.exit(main())
