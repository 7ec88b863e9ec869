"""Keys, CORS and the route prefix of a running devhost."""

import json
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.app.host import HostProcess

APP = """
import azure.functions as func
from azurefunctions.extensions.http.fastapi import Request, Response

app = func.FunctionApp()

@app.route(route="open", auth_level=func.AuthLevel.ANONYMOUS)
async def anyone(req: Request) -> Response:
    return Response("open")

@app.route(route="keyed")
async def keyed(req: Request) -> Response:
    return Response("keyed")

@app.route(route="master", auth_level=func.AuthLevel.ADMIN)
async def master(req: Request) -> Response:
    return Response("master")

@app.route(route="zz/{*rest}", auth_level=func.AuthLevel.ANONYMOUS)
async def zz_rest(req: Request) -> Response:
    return Response(str(req.path_params))
"""
ORIGIN = "http://localhost:3000"
KEYS = {"DEVHOST_MASTER_KEY": "the-master", "DEVHOST_FUNCTION_KEY": "the-function"}


@pytest.fixture(scope="module")
def app_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    directory = tmp_path_factory.mktemp("access")
    (directory / "function_app.py").write_text(APP)
    (directory / "host.json").write_text('{"version": "2.0", "extensions": {"http": {"routePrefix": "v1"}}}')
    (directory / "local.settings.json").write_text(json.dumps({"Host": {"CORS": ORIGIN, "CORSCredentials": True}}))
    return directory


@pytest.fixture(scope="module")
def host(app_dir: Path) -> Iterator[HostProcess]:
    with HostProcess.start(app_dir, env=KEYS, args=["--enable-auth"]) as process:
        yield process


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/v1/open", None, 200),
        ("/v1/keyed", None, 401),
        ("/v1/keyed", "", 401),
        ("/v1/keyed", "wrong", 401),
        ("/v1/keyed", "the-function", 200),
        ("/v1/keyed", "the-master", 200),
        ("/v1/master", "the-function", 401),
        ("/v1/master", "the-master", 200),
        ("/admin/host/status", "the-function", 401),
        ("/admin/host/status", "the-master", 200),
        ("/api/open", None, 404),
    ],
)
def test_keys_open_what_their_level_allows(host: HostProcess, path: str, key: str | None, status: int) -> None:
    """Each level opens with its own key or a higher one; 401 and 404 have empty bodies."""
    headers = {} if key is None else {"x-functions-key": key}
    response = httpx2.get(host.base_url + path, headers=headers)
    assert response.status_code == status
    assert status == 200 or response.content == b""


def test_the_key_may_come_in_the_query(host: HostProcess) -> None:
    """`code` in the query is the key unless the header is there."""
    url = f"{host.base_url}/v1/keyed?code=the-function"
    answers = [httpx2.get(url, headers=headers).status_code for headers in ({}, {"x-functions-key": "wrong"})]
    assert answers == [200, 401]


def test_given_keys_are_not_printed(host: HostProcess) -> None:
    """Keys from the environment never appear in the output."""
    assert "the-master" not in host.output()
    assert "the-function" not in host.output()


def test_preflight_comes_before_keys(host: HostProcess) -> None:
    """A preflight of a keyed route is granted without a key."""
    headers = {"origin": ORIGIN, "access-control-request-method": "POST"}
    response = httpx2.options(f"{host.base_url}/v1/keyed", headers=headers)
    assert (response.status_code, response.headers["access-control-allow-methods"]) == (204, "POST")


def test_refusals_carry_cors_headers_too(host: HostProcess) -> None:
    """A page of an allowed origin can read the 401."""
    response = httpx2.get(f"{host.base_url}/v1/keyed", headers={"origin": ORIGIN})
    assert (response.status_code, response.headers["access-control-allow-origin"]) == (401, ORIGIN)
    assert response.headers["access-control-allow-credentials"] == "true"


def test_made_up_keys_are_printed_and_work(app_dir: Path) -> None:
    """Without keys in the environment random ones are printed, so that somebody can use them."""
    with HostProcess.start(app_dir, args=["--enable-auth"]) as host:
        assert host.wait_for(r"DEVHOST_FUNCTION_KEY is not set.*\n")
        key = host.output().split("DEVHOST_FUNCTION_KEY is not set; this run uses ")[1].split()[0]
        assert httpx2.get(f"{host.base_url}/v1/keyed", headers={"x-functions-key": key}).status_code == 200


def test_without_the_switch_everything_is_open(app_dir: Path) -> None:
    """Like `func start`, the host asks for no key by default; an environment variable moves the prefix."""
    override = {"AzureFunctionsJobHost__extensions__http__routePrefix": ""}
    with HostProcess.start(app_dir, env=override) as host:
        answers = [httpx2.get(host.base_url + path).status_code for path in ("/master", "/admin/functions", "/v1/open")]
    assert answers == [200, 200, 404]


def test_origins_may_come_from_the_environment(tmp_path: Path) -> None:
    """CORS_ALLOWED_ORIGINS allows what it lists and nothing that only resembles it."""
    (tmp_path / "function_app.py").write_text(APP)
    with HostProcess.start(tmp_path, env={"CORS_ALLOWED_ORIGINS": f"https://app.example.com, {ORIGIN}"}) as host:
        allowed = [
            httpx2.get(f"{host.base_url}/api/open", headers={"origin": origin}).headers.get(
                "access-control-allow-origin"
            )
            for origin in (ORIGIN, "https://app.example.com", "https://app.example.com.evil.io", "null")
        ]
    assert allowed == [ORIGIN, "https://app.example.com", None, None]
