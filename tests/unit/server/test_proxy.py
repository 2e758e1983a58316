"""The extension in a real Jupyter server, over a real upstream."""

import json
import secrets
from collections.abc import Iterator

import httpx
import pytest

from tests.unit.sdk.upstream import Request, Upstream, upstream
from tests.unit.server.server import TOKEN, serving, signed

PLATFORM_TOKEN = secrets.token_hex(8)


def answer(request: Request, _: int) -> tuple[int, dict[str, str], bytes]:
    kept = {"Content-Type": "application/json", "ETag": '"7"', "Set-Cookie": "stolen=1", "X-Inner": "secret"}
    if request.path.endswith("/refused"):
        return 422, kept | {"Content-Type": "application/problem+json"}, b'{"detail": "No."}'
    seen = {"path": request.path, "method": request.method, "headers": request.headers, "bytes": len(request.body)}
    return 200, kept, json.dumps(seen).encode()


@pytest.fixture(scope="module")
def platform() -> Iterator[Upstream]:
    with upstream(answer) as server:
        yield server


@pytest.fixture(scope="module")
def lab(platform: Upstream, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    with serving(tmp_path_factory.mktemp("home"), PUMPKIN_URL=platform.url, PUMPKIN_TOKEN=PLATFORM_TOKEN) as client:
        yield client


def test_a_call_goes_on_with_the_servers_token_and_without_the_browsers_secrets(lab: httpx.Client, platform: Upstream):
    headers = signed(Cookie="session=s", **{"If-Match": '"6"', "X-Evil": "1", "X-Forwarded-For": "1.2.3.4"})
    got = lab.get("pumpkin/api/datasets/a%2Fb/x%20y?limit=1&q=%C3%A4", headers=headers)
    assert got.status_code == 200
    seen = got.json()
    assert seen["path"] == "/services/pumpkin/api/v1/datasets/a%2Fb/x%20y?limit=1&q=%C3%A4"
    assert seen["headers"]["Authorization"] == f"token {PLATFORM_TOKEN}"
    assert seen["headers"]["If-Match"] == '"6"'
    assert not {"Cookie", "X-Evil", "X-Forwarded-For"} & seen["headers"].keys()


def test_only_known_headers_come_back(lab: httpx.Client):
    got = lab.get("pumpkin/api/datasets", headers=signed())
    assert got.headers["ETag"] == '"7"'
    assert "X-Inner" not in got.headers
    assert "stolen" not in got.headers.get("Set-Cookie", "")
    assert PLATFORM_TOKEN not in str(got.headers)


def test_a_refusal_comes_through_as_it_is(lab: httpx.Client):
    got = lab.get("pumpkin/api/refused", headers=signed())
    assert (got.status_code, got.json()["detail"]) == (422, "No.")
    assert got.headers["Content-Type"] == "application/problem+json"


def test_a_body_is_passed_on_whole_however_it_comes(lab: httpx.Client):
    blocks = [b"x" * 65_536] * 64
    got = lab.put("pumpkin/api/upload", headers=signed(), content=b"".join(blocks))
    assert got.json()["bytes"] == 4 << 20
    assert lab.post("pumpkin/api/jobs", headers=signed(), json={"a": 1}).json()["method"] == "POST"
    assert lab.delete("pumpkin/api/jobs/1", headers=signed()).json()["method"] == "DELETE"


def test_nobody_gets_through_without_the_servers_leave(lab: httpx.Client, platform: Upstream):
    before = len(platform.requests)
    with httpx.Client(base_url=lab.base_url) as stranger:
        assert stranger.post("pumpkin/api/jobs", json={}).status_code == 403
        assert stranger.get("pumpkin/api/jobs").status_code in (302, 403)
    assert len(platform.requests) == before


def test_a_cookie_alone_without_the_xsrf_token_changes_nothing(lab: httpx.Client, platform: Upstream):
    with httpx.Client(base_url=lab.base_url) as browser:
        browser.get(f"tree?token={TOKEN}")
        assert browser.get("pumpkin/api/jobs").status_code == 200
        before = len(platform.requests)
        assert browser.post("pumpkin/api/jobs", json={}).status_code == 403
        assert len(platform.requests) == before


@pytest.mark.parametrize("path", ["../../hub/api/users", "a/../../x", "a/%2e%2e/%2e%2e/x", "a//x", "a/%2e/b"])
def test_a_path_that_leads_elsewhere_is_refused(lab: httpx.Client, platform: Upstream, path: str):
    before = len(platform.requests)
    request = lab.build_request("GET", "pumpkin/api/x", headers=signed())
    request.url = request.url.copy_with(raw_path=f"/user/alice/pumpkin/api/{path}".encode())
    assert lab.send(request).status_code == 404
    assert len(platform.requests) == before
