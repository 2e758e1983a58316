"""Naming, sharing, presets, references: one table of rules for datasets, algorithms and models."""

from __future__ import annotations

from typing import Any

import httpx
import pytest

from pumpkin_services.principal import Principal
from pumpkin_services.problems import Invalid, Problem
from tests.unit.artifacts.support import Site, World, principal, push

FILES = {"a": b"1"}


@pytest.fixture(params=["datasets", "algorithms", "models"])
def kind(request: pytest.FixtureRequest) -> str:
    return request.param


async def make(client: httpx.AsyncClient, kind: str, name: str, **more: Any) -> dict[str, Any]:
    answer = await client.post(f"/{kind}", json={"name": name, **more})
    assert answer.status_code == 201, answer.text
    return answer.json()


async def names(client: httpx.AsyncClient, kind: str, **query: Any) -> list[str]:
    answer = await client.get(f"/{kind}", params=query)
    assert answer.status_code == 200, answer.text
    return [f"{item['workspace']}/{item['name']}" for item in answer.json()["items"]]


async def test_a_thing_is_seen_by_whom_it_is_shared_with(site: Site, kind: str) -> None:
    async with site.client("ann") as ann, site.client("bob") as bob, site.client("root") as root:
        made = await make(ann, kind, "thing", labels=["b", "a", "b"], description="# Title")
        assert (made["workspace"], made["labels"], made["latest"], made["may_write"]) == ("ann", ["a", "b"], None, True)
        one = f"/{kind}/ann/thing"
        assert (await bob.get(one)).status_code == 404
        shared = await ann.put(f"{one}/shares/bob")
        assert shared.json()["shared_with"] == ["bob"]
        seen = (await bob.get(one)).json()
        assert (seen["may_write"], seen["shared_with"]) == (False, [])
        assert (await bob.patch(one, json={"description": "mine"})).status_code == 403
        assert (await bob.delete(one)).status_code == 403
        assert await names(bob, kind, view="shared") == ["ann/thing"]
        assert await names(bob, kind, view="mine") == []
        await ann.delete(f"{one}/shares/bob")
        assert (await bob.get(one)).status_code == 404
        assert (await ann.patch(one, json={"preset": True})).status_code == 403
        assert (await root.patch(one, json={"preset": True})).json()["preset"] is True
        assert await names(bob, kind, view="preset") == ["ann/thing"]
        assert (await ann.put(f"{one}/shares/nowhere")).json()["errors"][0]["field"] == "target"


async def test_a_viewer_reads_and_changes_nothing(site: Site) -> None:
    async with site.client("ann") as ann, site.client("eve") as eve:
        await make(ann, "datasets", "thing", workspace="lab")
        assert (await eve.get("/datasets/lab/thing")).json()["may_write"] is False
        for answer in (
            await eve.post("/datasets/lab/thing/uploads"),
            await eve.patch("/datasets/lab/thing", json={}),
            await eve.post("/datasets", json={"name": "x", "workspace": "lab"}),
            await eve.put("/datasets/lab/thing/import?format=zip", content=b"x"),
        ):
            assert answer.status_code == 403
            assert "viewer" in answer.json()["detail"]
        assert (await eve.post("/datasets", json={"name": "x", "workspace": "bob"})).status_code == 403


async def test_lists_are_filtered(site: Site) -> None:
    async with site.client("ann") as ann:
        await make(ann, "datasets", "cats", type="image", labels=["pets"])
        await make(ann, "datasets", "dogs", type="image")
        await make(ann, "datasets", "words", type="text", workspace="lab")
        assert await names(ann, "datasets") == ["lab/words", "ann/dogs", "ann/cats"]
        assert await names(ann, "datasets", type="image", label="pets") == ["ann/cats"]
        assert await names(ann, "datasets", workspace="lab") == ["lab/words"]
        assert await names(ann, "datasets", q="OG") == ["ann/dogs"]
        assert await names(ann, "datasets", q="%") == []
        first = (await ann.get("/datasets", params={"limit": 2})).json()
        assert await names(ann, "datasets", cursor=first["next"]) == ["ann/cats"]


async def test_edits_that_cross_are_noticed(site: Site) -> None:
    async with site.client("ann") as ann:
        await make(ann, "algorithms", "code", framework="pytorch", entrypoint="python train.py")
        one = "/algorithms/ann/code"
        tag = (await ann.get(one)).headers["ETag"]
        assert (await ann.patch(one, json={"labels": ["x"]}, headers={"If-Match": tag})).status_code == 200
        stale = await ann.patch(one, json={"framework": "jax"}, headers={"If-Match": tag})
        assert stale.status_code == 412
        got = (await ann.get(one)).json()
        assert (got["framework"], got["entrypoint"], got["labels"]) == ("pytorch", "python train.py", ["x"])


@pytest.mark.parametrize(
    "body",
    [
        {"name": "Upper"},
        {"name": "a/b"},
        {"name": ".."},
        {"name": "x" * 64},
        {"name": "a\n"},
        {"name": "🎃"},
        {"name": "ok", "labels": ["l"] * 100 + ["\n"]},
        {"name": "ok", "description": "x" * 100_001},
        {"name": "ok", "visibility": "some"},
        {"name": "ok", "owner": "ann"},
        {"name": "ok", "type": "a\x00b"},
    ],
)
async def test_bad_input_is_refused_with_its_field(site: Site, body: dict[str, Any]) -> None:
    async with site.client("ann") as ann:
        answer = await ann.post("/datasets", json=body)
        assert answer.status_code == 422
        assert answer.json()["errors"]


async def test_a_name_is_taken_once_in_each_workspace(site: Site) -> None:
    async with site.client("ann") as ann:
        await make(ann, "datasets", "x")
        again = await ann.post("/datasets", json={"name": "x"})
        assert (again.status_code, again.json()["reason"]) == (409, "name_taken")
        await make(ann, "models", "x")
        await make(ann, "datasets", "x", workspace="lab")
        assert (await ann.delete("/datasets/ann/x")).status_code == 204
        await make(ann, "datasets", "x")


async def resolve(world: World, who: Principal, text: str) -> str:
    async with world.database.read() as session:
        return (await world.datasets.resolve(session, who, text, field="datasets.0")).reference


async def test_references_mean_what_people_expect(site: Site) -> None:
    world, ann, bob = site.world, principal("ann"), principal("bob")
    async with site.client("ann") as client, site.client("bob") as other:
        for where in ("ann", "lab"):
            await make(client, "datasets", "digits", workspace=where)
            await push(client, f"/datasets/{where}/digits", FILES)
        await push(client, "/datasets/lab/digits", FILES)
        assert await resolve(world, ann, "digits") == "ann/digits@1"
        assert await resolve(world, ann, "lab/digits") == "lab/digits@2"
        assert await resolve(world, ann, "lab/digits@1") == "lab/digits@1"
        for text in ("digits@2", "nothing", "lab/nothing", "digits@0", "a/b/c", "DIGITS"):
            with pytest.raises(Invalid) as caught:
                await resolve(world, ann, text)
            assert caught.value.errors[0]["field"] == "datasets.0"
        with pytest.raises(Invalid):
            await resolve(world, bob, "digits")
        for where in ("ann", "lab"):
            await client.put(f"/datasets/{where}/digits/shares/bob")
        with pytest.raises(Problem, match="ann/digits or lab/digits"):
            await resolve(world, bob, "digits")
        await make(other, "datasets", "digits")
        await push(other, "/datasets/bob/digits", FILES)
        assert await resolve(world, bob, "digits") == "bob/digits@1"
        got = (await client.get("/datasets/resolve", params={"reference": "digits"})).json()
        assert (got["workspace"], got["number"], got["files"]) == ("ann", 1, 1)


async def test_a_workload_sees_its_inputs_and_nothing_else(site: Site) -> None:
    world = site.world
    async with site.client("ann") as ann:
        for name in ("input", "other"):
            await make(ann, "datasets", name)
            done = await push(ann, f"/datasets/ann/{name}", FILES)
            if name == "input":
                async with world.database.write() as session:
                    await world.artifacts.pin(session, done["id"], "01job")
    person = principal("ann")
    job = Principal(name="ann", kind="workload", workload="01job", scopes=person.scopes, workspaces=person.workspaces)
    assert await resolve(world, job, "input") == "ann/input@1"
    with pytest.raises(Invalid):
        await resolve(world, job, "other")


async def test_what_is_taken_down_is_seen_by_its_workspace_alone_with_the_reason(site: Site, kind: str) -> None:
    async with site.client("ann") as ann, site.client("bob") as bob, site.client("root") as root:
        await make(ann, kind, "thing", visibility="everyone", workspace="lab")
        one = f"/{kind}/lab/thing"
        await ann.put(f"{one}/shares/bob")
        assert (await root.patch(one, json={"preset": True})).status_code == 200
        assert (await ann.post(f"{one}/takedown", json={"reason": "mine"})).status_code == 403
        assert (await root.post(f"{one}/takedown", json={"reason": "  "})).status_code == 422
        hidden = (await root.post(f"{one}/takedown", json={"reason": "It has faces in it."})).json()
        assert hidden["taken_down"]["by"] == "root"
        assert (await bob.get(one)).status_code == 404
        assert await names(bob, kind) == []
        assert (await ann.get(one)).json()["taken_down"]["reason"] == "It has faces in it."
        # Its owners cannot get around it, and an admin does not offer by mistake what was taken down.
        assert (await ann.patch(one, json={"visibility": "everyone"})).status_code == 200
        assert (await ann.post(f"{one}/restore")).status_code == 403
        assert (await bob.get(one)).status_code == 404
        assert (await root.patch(one, json={"preset": True})).json()["reason"] == "taken_down"
        assert await names(root, kind, view="taken_down") == ["lab/thing"]
        assert (await root.post(f"{one}/restore")).json()["taken_down"] is None
        assert (await bob.get(one)).status_code == 200
        assert await names(root, kind, view="taken_down") == []
