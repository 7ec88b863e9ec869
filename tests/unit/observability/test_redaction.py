"""What a log line shows of a credential: three stars."""

import logging

import pytest

from shared.observability.redaction import RedactingFormatter, Redactor

SECRET = "Zq81mNv2Lk07Pd"


@pytest.mark.parametrize(
    ("text", "redacted"),
    [
        (
            f"GET https://a.example/query?apikey={SECRET}&symbol=IBM",
            "GET https://a.example/query?apikey=***&symbol=IBM",
        ),
        (f"GET /x?symbol=IBM&api_key={SECRET}", "GET /x?symbol=IBM&api_key=***"),
        (f"/x?code={SECRET} 200", "/x?code=*** 200"),
        (f"/x?token={SECRET}'", "/x?token=***'"),
        (f"/x?access_token={SECRET}&a=b", "/x?access_token=***&a=b"),
        (f"/blob?sv=1&sig={SECRET}", "/blob?sv=1&sig=***"),
        (f"/v8?crumb={SECRET}", "/v8?crumb=***"),
        (f"Authorization: Bearer {SECRET}", "Authorization: *** ***"),
        (f"authorization: bearer {SECRET}", "authorization: *** ***"),
        (f"sent Bearer {SECRET}.", "sent Bearer ***"),
        (f"Authorization: Basic {SECRET}", "Authorization: Basic ***"),
        (f"{{'api-key': '{SECRET}', 'x': 'y'}}", "{'api-key': '***', 'x': 'y'}"),
        (f'"api_key": "{SECRET}"', '"api_key": "***"'),
        (f"x-functions-key={SECRET}", "x-functions-key=***"),
        (f"[(b'api-key', b'{SECRET}'), (b'a', b'b')]", "[(b'api-key', b'***'), (b'a', b'b')]"),
        ("key sk-abcdef123456 used", "key *** used"),
        ("key xai-abcdef123456 used", "key *** used"),
        (f"redis://:{SECRET}@cache:6379/0", "redis://:***@cache:6379/0"),
        (f"mongodb://app:{SECRET}@db/x", "mongodb://app:***@db/x"),
        (f"http://u:{SECRET}@proxy:8080", "http://u:***@proxy:8080"),
    ],
)
def test_credentials_become_stars(text, redacted):
    """Each shape that a library prints loses its value and keeps the rest of the line."""
    assert redacted == Redactor().redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "GET /api/symbols/AAPL/quote?range=1y 200 in 12.3 ms",
        "model provider openai failed: rate_limited",
        "the barcode=12345678 is fine",
        "http://127.0.0.1:7071/api/chat",
        "asked sk- for nothing",
        "task-abcdef123456 done",
        "basic understanding of authorization",
    ],
)
def test_ordinary_lines_stay_as_they_are(text):
    """Nothing is starred out that an operator needs."""
    assert text == Redactor([SECRET]).redact(text)


def test_known_values_are_redacted_wherever_they_stand():
    """A secret of the configuration needs no shape to be found."""
    assert Redactor([SECRET]).redact(f"x{SECRET}y {SECRET}") == "x***y ***"


def test_longer_secret_goes_first():
    """A secret that begins with another one leaves no tail behind."""
    assert Redactor([SECRET, f"{SECRET}-tail"]).redact(f"{SECRET}-tail") == "***"


def test_short_values_are_left_alone():
    """A five-letter password would turn ordinary words into stars."""
    assert Redactor(["apple", ""]).redact("apple pie") == "apple pie"


def test_message_arguments_and_traceback_are_redacted():
    """What is formatted late, and what an exception says, goes through the same filter."""
    formatter = RedactingFormatter(logging.Formatter("%(message)s"), Redactor([SECRET]))
    try:
        raise ValueError(f"cannot use {SECRET}")
    except ValueError as error:
        record = logging.LogRecord("x", logging.ERROR, "f", 1, "asked %s", (SECRET,), (type(error), error, None))

    assert formatter.format(record).splitlines()[0] == "asked ***"
    assert SECRET not in formatter.format(record)
    assert "cannot use ***" in formatter.format(record)
