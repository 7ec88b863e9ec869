"""Strict JSON: what is read, what is refused, and that nothing takes long."""

import json
import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from functions.http.json_body import parse_json, read_json
from shared.errors import InvalidRequest, PayloadTooLarge, UnsupportedMediaType
from tests.unit.functions.made_requests import request

DEPTH = 32
JSON = {"Content-Type": "application/json"}


def parse(body: bytes) -> object:
    return parse_json(body, max_depth=DEPTH)


@pytest.mark.parametrize(
    ("body", "document"),
    [
        (b"{}", {}),
        (b" [1, 2.5, -3e2, true, false, null] \r\n", [1, 2.5, -300.0, True, False, None]),
        ('"Grüße 株価 📈"'.encode(), "Grüße 株価 📈"),
        (rb'"\ud83d\udcc8 \u00e9 \\ud800 \" \/"', '📈 é \\ud800 " /'),
        (rb'{"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}', {"a": {"a": 1}, "b": [{"a": 1}, {"a": 2}]}),
        (b'"' + b"[{" * 500 + b'"', "[{" * 500),
        (b'["\\"", "' + b"[" * 100 + b'", "\\\\", "' + b"{" * 100 + b'"]', ['"', "[" * 100, "\\", "{" * 100]),
        (b"[" * DEPTH + b"]" * DEPTH, json.loads("[" * DEPTH + "]" * DEPTH)),
        (b"[" + b"[]," * 200 + b"[]]", [[]] * 201),
        (b"1" * 4000, int("1" * 4000)),
        (b"1e-999", 0.0),
        (b'{"": "", "\\u0000": "\\u0000"}', {"": "", "\0": "\0"}),
    ],
)
def test_json_is_read(body, document):
    """What the standard allows is read as it stands, brackets inside of strings included."""
    assert document == parse(body)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "invalid_json"),
        (b"{", "invalid_json"),
        (b"{}{}", "invalid_json"),
        (b"\xef\xbb\xbf{}", "invalid_json"),
        ("{}".encode("utf-16"), "invalid_json"),
        (b'"\xff"', "invalid_json"),
        (b'"\xed\xa0\x80"', "invalid_json"),
        (b"NaN", "invalid_json"),
        (b"[Infinity]", "invalid_json"),
        (b"-Infinity", "invalid_json"),
        (b"1e999", "invalid_json"),
        (b"-1e999", "invalid_json"),
        (b"9" * 5000, "invalid_json"),
        (rb'"\ud800"', "invalid_json"),
        (rb'{"\udfff": 1}', "invalid_json"),
        (rb'["\udc00\ud800"]', "invalid_json"),
        (b'{"a": 1, "a": 1}', "duplicate_key"),
        (rb'[{"a": 1, "\u0061": 1}]', "duplicate_key"),
        (b"[" * (DEPTH + 1) + b"]" * (DEPTH + 1), "invalid_json"),
        (b'{"a":' * (DEPTH + 1) + b"1" + b"}" * (DEPTH + 1), "invalid_json"),
        (b'["]]]]",' * (DEPTH + 1), "invalid_json"),
        (b"[" * 100_000, "invalid_json"),
        (b"]" * 100 + b"[" * 100, "invalid_json"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_what_is_no_strict_json_is_refused(body, code):
    """What is malformed, ambiguous, too deep or no text is refused with its code and without its own text."""
    with pytest.raises(InvalidRequest) as caught:
        parse(body)
    assert (code, 400) == (caught.value.code, caught.value.status)
    assert caught.value.__cause__ is None


@pytest.mark.parametrize(
    "body",
    [
        b'[["' + b'\\"' * 130_000,
        b'[["' * 80_000,
        b'[["' + b"\\" * 250_000,
        b"[" * 260_000,
        b"[" * 40 + b'"' * 260_000,
        b'{"a":' + b"[" * 33 + b'"' + b"\\a" * 120_000,
        b"[" + b"9" * 4000 + b",1" * 100_000,
    ],
    ids=lambda body: repr(body[:12]),
)
def test_time_grows_with_the_size_and_no_faster(body):
    """A body of 256 KiB is refused or read in well under a second, whatever is in it: the loop serves everybody."""
    begun = time.perf_counter()
    with pytest.raises(InvalidRequest):
        parse(body)
    assert time.perf_counter() - begun < 0.5


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(), inner, max_size=5),
    max_leaves=20,
)


@given(VALUES, st.booleans())
def test_whatever_was_written_as_json_comes_back(document, escaped):
    """Every JSON document of moderate depth that has only characters in it is read as what was written."""
    assert document == parse(json.dumps(document, ensure_ascii=escaped).encode())


@given(st.binary(max_size=200) | st.text(alphabet='[]{}",:\\u0d8e1 ', max_size=200).map(str.encode))
@example(rb'["\\","[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[["]')
def test_any_bytes_are_read_or_refused(body):
    """Whatever the bytes are, the outcome is a document that JSON can hold again, or an error for the caller."""
    try:
        document = parse(body)
    except InvalidRequest:
        return
    assert document == json.loads(json.dumps(document, allow_nan=False).encode("utf-8"))


@given(st.integers(1, 80), st.sampled_from(["list", "object", "both"]))
def test_depth_is_counted_exactly(depth, kind):
    """32 levels are read and 33 are not, whatever they are made of."""
    opening = {"list": ["["] * depth, "object": ['{"a":'] * depth, "both": (['{"a":', "["] * depth)[:depth]}[kind]
    closing = ["]" if part == "[" else "}" for part in reversed(opening)]
    body = "".join([*opening, '"[["', *closing]).encode()
    if depth <= DEPTH:
        assert parse(body) is not None
    else:
        with pytest.raises(InvalidRequest):
            parse(body)


async def read(*pieces: bytes, max_bytes: int = 20, **headers: str) -> object:
    given = {name.replace("_", "-"): value for name, value in headers.items()}
    return await read_json(request(headers={**JSON, **given}, body=pieces), max_bytes=max_bytes, max_depth=DEPTH)


async def test_body_may_come_in_pieces():
    """Pieces are joined before anything is decoded, so a character may be cut anywhere."""
    text = '"é📈"'.encode()
    assert await read(*(text[i : i + 1] for i in range(len(text)))) == "é📈"


@pytest.mark.parametrize("pieces", [[b'"' + b"a" * 20], [b"a"] * 21, [b"", b"a" * 20, b"a"]])
async def test_body_over_the_limit_is_refused_wherever_it_is_cut(pieces):
    """What counts is the number of bytes that came."""
    with pytest.raises(PayloadTooLarge, match="at most 20 bytes"):
        await read(*pieces)


async def test_body_of_the_limit_is_read():
    """A body of exactly the limit is not too large."""
    assert await read(b'"' + b"a" * 18 + b'"', Content_Length="20") == "a" * 18


async def test_declared_size_over_the_limit_is_refused_unread():
    """A declared size over the limit is refused without reading: the body's end never comes here."""
    unread = request(headers={**JSON, "Content-Length": "21"}, disconnects=True)
    with pytest.raises(PayloadTooLarge):
        await read_json(unread, max_bytes=20, max_depth=DEPTH)


@pytest.mark.parametrize("declared", ["-1", "abc", "", "1e9", "\u00b2"])
async def test_nonsense_for_a_size_is_ignored(declared):
    """A declared size that is no number says nothing."""
    assert await read(b"{}", Content_Length=declared) == {}


async def test_client_that_leaves_in_the_middle_is_no_failure_of_ours():
    """A body whose client went away is the caller's error, so that it is not logged as one of ours."""
    broken = request(headers=JSON, body=[b'{"mess'], disconnects=True)
    with pytest.raises(InvalidRequest) as caught:
        await read_json(broken, max_bytes=20, max_depth=DEPTH)
    assert caught.value.code == "incomplete_body"


@pytest.mark.parametrize(
    "headers",
    [
        {"Content-Type": "text/plain"},
        {"Content-Type": ""},
        {"Content-Type": "application/json; charset=latin-1"},
        {"Content-Type": "application/json", "Content-Encoding": "gzip"},
        {"Content-Type": "application/json", "Content-Encoding": ""},
    ],
    ids=str,
)
async def test_other_types_and_encodings_are_refused_unread(headers):
    """Anything but plain JSON in UTF-8 is refused before the body is read."""
    with pytest.raises(UnsupportedMediaType):
        await read_json(request(headers=headers, disconnects=True), max_bytes=20, max_depth=DEPTH)
