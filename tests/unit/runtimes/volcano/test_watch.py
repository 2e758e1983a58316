"""An informer knows what is there, and goes on where its watch broke."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from typing import Any, cast

import pytest

from pumpkin_services.problems import Unavailable
from pumpkin_services.runtimes.base import Key
from pumpkin_services.runtimes.volcano import names, objects
from pumpkin_services.runtimes.volcano.api import Api, Refused
from pumpkin_services.runtimes.volcano.objects import Group
from pumpkin_services.runtimes.volcano.watch import Informer


def group(name: str, phase: str = "Pending", *, version: str = "1") -> dict[str, Any]:
    labels = names.labels(Key(name, 1))
    metadata = {"namespace": "p-lab", "name": name, "uid": name, "labels": labels, "resourceVersion": version}
    return {"metadata": metadata, "status": {"phase": phase}}


class Script:
    """Plays what an API server answers: lists and watches in turn, each watch ended by what it raises, if anything."""

    def __init__(self, lists: list[list[dict[str, Any]]], watches: list[list[Any]]) -> None:
        self.lists, self.watches = lists, watches
        self.asked: list[str] = []
        self.played = asyncio.Event()

    async def pages(self, _where: str, _selector: str) -> AsyncIterator[dict[str, Any]]:
        self.asked.append("list")
        items = self.lists.pop(0)
        for start in range(0, max(1, len(items)), 2):  # in pages
            yield {"metadata": {"resourceVersion": "10"}, "items": items[start : start + 2]}

    async def watch(self, _where: str, *, version: str, **_: Any) -> AsyncIterator[Mapping[str, Any]]:
        self.asked.append(f"watch {version}")
        if not self.watches:
            self.played.set()
            await asyncio.Event().wait()
        for event in self.watches.pop(0):
            if isinstance(event, Exception):
                raise event
            yield event


def event(kind: str, item: dict[str, Any]) -> dict[str, Any]:
    return {"type": kind, "object": item}


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pumpkin_services.runtimes.volcano.watch.FIRST_PAUSE", 0.0)


async def play(script: Script) -> tuple[dict[str, str], list[tuple[str, str]]]:
    """Run the script to its end; return the phases known at last, and all changes heard of."""
    heard: list[tuple[str, str]] = []

    def changed(before: Group | None, after: Group | None) -> None:
        item = after or before
        assert item is not None
        heard.append((item.name, after.phase if after else "gone"))

    informer = Informer(cast(Api, script), "PodGroup", selector="", parse=objects.group, changed=changed)
    task = asyncio.create_task(informer.run())
    async with asyncio.timeout(5):
        await script.played.wait()
    task.cancel()
    await asyncio.wait({task})
    return {item.name: item.phase for item in informer.items.values()}, heard


async def test_it_lists_in_pages_then_follows_each_change() -> None:
    script = Script(
        [[group("a"), group("b"), group("c")]],
        [[event("MODIFIED", group("a", "Inqueue", version="11")), event("DELETED", group("b", version="12"))]],
    )
    known, heard = await play(script)
    assert known == {"a": "Inqueue", "c": "Pending"}
    assert heard == [
        ("a", "Pending"), ("b", "Pending"), ("c", "Pending"), ("a", "Inqueue"), ("b", "gone"),
    ]  # fmt: skip


async def test_a_broken_watch_goes_on_from_its_last_version_or_bookmark() -> None:
    bookmark = {"type": "BOOKMARK", "object": {"metadata": {"resourceVersion": "50"}}}
    script = Script([[group("a")]], [[event("ADDED", group("b", version="11")), Unavailable("broken")], [bookmark]])
    await play(script)
    assert script.asked == ["list", "watch 10", "watch 11", "watch 50"]


async def test_what_vanished_unseen_is_noticed_when_the_server_has_forgotten_where_we_were() -> None:
    script = Script([[group("a"), group("b")], [group("b", "Running")]], [[Refused(410, "too old resource version")]])
    known, heard = await play(script)
    assert known == {"b": "Running"}
    assert heard[2:] == [("b", "Running"), ("a", "gone")]


async def test_a_last_state_that_comes_with_the_deletion_is_heard_of_first() -> None:
    script = Script([[group("a")]], [[event("DELETED", group("a", "Completed", version="11"))]])
    _, heard = await play(script)
    assert heard == [("a", "Pending"), ("a", "Completed"), ("a", "gone")]


async def test_an_event_that_nobody_understands_does_not_end_the_watching() -> None:
    script = Script([[group("a")], [group("b")]], [[event("MODIFIED", {"metadata": {}})]])
    known, heard = await play(script)
    assert script.asked == ["list", "watch 10", "list", "watch 10"]
    assert known == {"b": "Pending"}
    assert heard[1:] == [("b", "Pending"), ("a", "gone")]
