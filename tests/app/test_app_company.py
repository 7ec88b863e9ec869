"""Fundamentals, news, pictures and streamed search through the runtime."""

import json

from tests.app.client import AppClient, problem_of


def test_fundamentals_of_yahoo(yahoo_app: AppClient) -> None:
    """Key figures come with currency, moment and source."""
    figures = yahoo_app.document("/api/symbols/AAPL/fundamentals")
    assert (figures["symbol"], figures["currency"], figures["source"]) == ("AAPL", "USD", "yahoo")
    assert figures["market_cap"] > 0


def test_news_of_yahoo(yahoo_app: AppClient) -> None:
    """Headlines have a publisher, a moment and an http address, at most as many as asked."""
    news = yahoo_app.document("/api/symbols/AAPL/news?limit=1")
    assert news["symbol"] == "AAPL"
    assert len(news["items"]) == 1
    assert news["items"][0]["url"].startswith("http")


def test_a_source_without_company_data_says_so(sample_app: AppClient) -> None:
    """The bundled sample has prices only: 422, not an outage and not an unknown symbol."""
    problem_of(sample_app.get("/api/symbols/AAPL/fundamentals"), 422, "insufficient_data")
    problem_of(sample_app.get("/api/symbols/AAPL/news"), 422, "insufficient_data")


def test_a_chart_is_an_svg_that_says_how_old_it_is(sample_app: AppClient) -> None:
    """The picture has its media type, cannot run anything, and carries the caveat of the sample."""
    response = sample_app.get("/api/symbols/AAPL/chart?range=6m")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("image/svg+xml")
    assert "sandbox" in response.headers["content-security-policy"]
    assert response.text.startswith("<svg ")
    assert "bundled sample data as of 2013-03-01" in response.text


def test_a_chart_of_an_unknown_symbol_is_a_problem(sample_app: AppClient) -> None:
    """No picture is drawn of nothing."""
    problem_of(sample_app.get("/api/symbols/ZZZZ/chart"), 404, "symbol_not_found")


def test_search_comes_in_batches(sample_app: AppClient) -> None:
    """Two candidates at a time, then one terminal frame with the total, then the end mark."""
    response = sample_app.get("/api/symbols/stream?q=o&chunk_size=2")
    frames = [line.removeprefix("data: ") for line in response.text.split("\n\n") if line]
    assert frames[-1] == "[DONE]"
    stream = [json.loads(frame) for frame in frames[:-1]]
    batches, end = stream[:-1], stream[-1]
    assert all(1 <= len(batch["items"]) <= 2 for batch in batches)
    assert end == {"event": "done", "total": sum(len(batch["items"]) for batch in batches), "complete": True}
    assert end["total"] > 2


def test_stream_is_no_symbol_but_its_neighbours_are(sample_app: AppClient) -> None:
    """The literal path wins over the parameter although its name sorts later."""
    problem_of(sample_app.get("/api/symbols/stream"), 400, "validation_failed")
    problem_of(sample_app.get("/api/symbols/STREAMS"), 404, "symbol_not_found")
