"""CORS headers around an ASGI app."""

import httpx2
import pytest
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp

from devhost.cors import CorsLayer, CorsPolicy

ORIGIN = "http://localhost:3000"


async def ask(policy: CorsPolicy, method: str = "GET", **headers: str) -> httpx2.Response:
    app: ASGIApp = CorsLayer(PlainTextResponse("from the app", headers={"vary": "Accept"}), policy)
    transport = httpx2.ASGITransport(app=app)
    async with httpx2.AsyncClient(transport=transport, base_url="http://test") as client:
        return await client.request(method, "/", headers={k.replace("_", "-"): v for k, v in headers.items()})


def cors_headers(response: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in response.headers.items() if name.startswith("access-control-")}


async def test_a_listed_origin_is_echoed() -> None:
    """A listed origin is echoed, and caches are told that the answer depends on it."""
    response = await ask(CorsPolicy((ORIGIN,)), origin=ORIGIN)
    assert cors_headers(response) == {"access-control-allow-origin": ORIGIN}
    assert (response.headers["vary"], response.text) == ("Accept, Origin", "from the app")


async def test_everyone_without_credentials_is_a_star() -> None:
    """With * and no credentials the answer is the same for everybody."""
    response = await ask(CorsPolicy(("*",)), origin=ORIGIN)
    assert (cors_headers(response), response.headers["vary"]) == ({"access-control-allow-origin": "*"}, "Accept")


async def test_credentials_echo_the_origin_even_for_everyone() -> None:
    """A browser refuses * together with credentials, so the origin is echoed."""
    response = await ask(CorsPolicy(("*",), credentials=True), origin=ORIGIN)
    expected = {"access-control-allow-origin": ORIGIN, "access-control-allow-credentials": "true"}
    assert expected == cors_headers(response)


@pytest.mark.parametrize("headers", [{}, {"origin": "http://evil.example"}])
async def test_other_requests_get_no_cors_headers(headers: dict[str, str]) -> None:
    """Without an origin, or from one that is not listed, the app answers without CORS headers."""
    response = await ask(CorsPolicy((ORIGIN,)), **headers)
    assert (cors_headers(response), response.text) == ({}, "from the app")


async def test_preflight_is_answered_without_the_app() -> None:
    """A preflight gets 204 with what it asked for; the app does not see it."""
    response = await ask(
        CorsPolicy((ORIGIN,)),
        "OPTIONS",
        origin=ORIGIN,
        access_control_request_method="PUT",
        access_control_request_headers="x-a, x-b",
    )
    assert (response.status_code, response.content) == (204, b"")
    assert cors_headers(response) == {
        "access-control-allow-origin": ORIGIN,
        "access-control-allow-methods": "PUT",
        "access-control-allow-headers": "x-a, x-b",
    }


async def test_preflight_of_a_stranger_is_granted_nothing() -> None:
    """A preflight from an origin that is not listed gets 204 without permission."""
    response = await ask(
        CorsPolicy((ORIGIN,)), "OPTIONS", origin="http://evil.example", access_control_request_method="PUT"
    )
    assert (response.status_code, cors_headers(response)) == (204, {})


async def test_plain_options_reaches_the_app() -> None:
    """OPTIONS without a requested method is an ordinary request."""
    response = await ask(CorsPolicy((ORIGIN,)), "OPTIONS", origin=ORIGIN)
    assert response.text == "from the app"
