"""Imports by the SDK and the command line, against the real routes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from pumpkin import AsyncClient, Progress, PumpkinError
from pumpkin.cli import cli
from tests.unit.artifacts.elsewhere import Elsewhere, Reply, commit, serve
from tests.unit.artifacts.support import Site
from tests.unit.artifacts.test_archives import make_zip
from tests.unit.artifacts.test_imports import importing, slowly

TOKEN = "pumpkin-w.ann"


@pytest.fixture
def elsewhere(tmp_path: Path) -> Iterator[Elsewhere]:
    with serve() as made:
        made.replies["/a.zip"] = Reply(make_zip(("a.txt", b"hello")))
        made.repositories = tmp_path / "repositories"
        yield made


@pytest.fixture
async def site(tmp_path: Path, elsewhere: Elsewhere) -> AsyncIterator[Site]:
    async with importing(tmp_path / "platform", elsewhere) as made:
        yield made


async def test_the_client_imports_waits_and_tells_how_far_it_is(site: Site, elsewhere: Elsewhere) -> None:
    async with AsyncClient(site.url.partition("/services")[0], TOKEN) as client:
        with slowly(elsewhere) as slow:
            seen: list[Progress] = []

            def report(progress: Progress) -> None:
                seen.append(progress)
                if progress.done:
                    slow.go.set()

            made = await client.datasets.import_from(
                "fresh", elsewhere.url("/slow.zip"), on_progress=report, type="text"
            )
        assert (made.name, made.number, made.files) == ("fresh", 1, 2)
        assert (await client.datasets.get("fresh")).type == "text"
        assert (100, len(slow.data)) in [(progress.done, progress.total) for progress in seen]
        with pytest.raises(PumpkinError, match="answers 404") as caught:
            await client.datasets.import_from("ann/fresh", elsewhere.url("/none.zip"))
        assert caught.value.reason == "import_failed"
        with pytest.raises(PumpkinError, match="Nothing may be imported from"):
            await client.datasets.import_from("fresh", "https://example.org/a.zip")
        states = [item.state async for item in client.datasets.imports("fresh")]
        assert states == ["failed", "ready"]
        async for newest in client.datasets.imports("fresh", limit=1):
            await client.datasets.cancel_import("fresh", newest.id)
        assert [item.state async for item in client.datasets.imports("fresh")] == ["ready"]


async def test_the_command_line_imports_lists_and_stops(
    site: Site, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    monkeypatch.setenv("PUMPKIN_URL", site.url.partition("/services")[0])
    monkeypatch.setenv("PUMPKIN_TOKEN", TOKEN)

    async def run(*words: str) -> Result:
        return await asyncio.to_thread(CliRunner().invoke, cli, words)

    assert elsewhere.repositories is not None
    pinned = commit(elsewhere.repositories / "code.git", {"train.py": b"print(1)\n"})
    made = await run("algorithm", "import", "code", elsewhere.url("/code.git"), "--ref", "main")
    assert made.output == "ann/code@1: 1 files, 9 B.\n"
    listed = (await run("algorithm", "imports", "code")).output
    assert f"{elsewhere.url('/code.git')} {pinned}" in listed.replace("\n", "")
    with slowly(elsewhere):
        async with site.client() as client:
            body = {"url": elsewhere.url("/slow.zip")}
            begun = (await client.post("/algorithms/ann/code/imports", json=body)).json()["id"]
        assert (await run("algorithm", "imports", "code", "--stop", begun)).output == f"Stopped {begun}.\n"
        left = json.loads((await run("algorithm", "imports", "code", "--json")).output)
        assert [item["commit"] for item in left] == [pinned]
    refused = await run("algorithm", "import", "code", "https://example.org/x.zip")
    assert refused.exit_code == 1
    assert "Nothing may be imported from 'example.org'" in refused.output + refused.stderr
