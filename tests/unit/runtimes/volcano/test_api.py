"""What the client makes of an API server that has too much to do."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import web

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.volcano import ClusterSettings
from pumpkin_services.runtimes.volcano.api import Api


class Busy:
    """An API server that refuses the first `times` calls."""

    times = 0
    calls = 0

    async def answer(self, _request: web.Request) -> web.Response:
        self.calls += 1
        if self.calls <= self.times:
            return web.json_response({"message": "too many"}, status=429, headers={"Retry-After": "1"})
        return web.json_response({"items": []})


@pytest.fixture
def busy() -> Busy:
    return Busy()


@pytest.fixture
async def api(busy: Busy, tmp_path: Path) -> AsyncIterator[Api]:
    app = web.Application()
    app.router.add_get("/{path:.*}", busy.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port: int = runner.addresses[0][1]
    kubeconfig = tmp_path / "kubeconfig"
    kubeconfig.write_text(
        json.dumps({
            "current-context": "it",
            "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
            "users": [{"name": "it", "user": {"token": "t"}}],
            "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
        })
    )  # fmt: skip
    settings = ClusterSettings(image="i", platform_url="http://hub", kubeconfig=str(kubeconfig))
    api = Api(settings)
    await api.open()
    yield api
    await api.close()
    await runner.cleanup()


async def test_who_is_throttled_comes_back_when_told(api: Api, busy: Busy) -> None:
    busy.times = 2
    assert await api.call("GET", "/api/v1/pods") == {"items": []}
    assert busy.calls == 3


async def test_who_is_throttled_for_long_is_told(api: Api, busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpkin_services.runtimes.volcano.api.THROTTLED_SECONDS", 3.0)
    busy.times = 100
    with pytest.raises(Unavailable, match="cannot do this now: too many"):
        await api.call("GET", "/api/v1/pods")
    assert 2 <= busy.calls <= 4
