"""Over HTTP: who may make, see, change, share and delete environments, and what comes back."""

from __future__ import annotations

import json
import sys
from typing import Any

import httpx
import pytest
from sqlalchemy import select

from pumpkin_services.problems import Invalid, NotFound
from pumpkin_services.web.tables import AuditRow
from tests.unit.images.conftest import Index, Platform, person


async def names(client: httpx.AsyncClient, **query: Any) -> list[str]:
    return [item["name"] for item in (await client.get("/images", params=query)).json()["items"]]


async def test_a_new_environment_is_queued_in_the_callers_own_workspace(platform: Platform) -> None:
    made = await platform.create("tools", ["six"], description="For *everything*.")
    assert (made["workspace"], made["creator"], made["visibility"]) == ("ann", "ann", "private")
    assert (made["latest"]["number"], made["latest"]["state"]) == (1, "queued")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "x", "requirements": ["-e ."]}, "requirements.0"),
        ({"name": "x", "requirements": "six\n--index-url http://x"}, "requirements.2"),
        ({"name": "../x", "requirements": []}, "name"),
        ({"name": "x" * 64, "requirements": []}, "name"),
        ({"name": "x", "requirements": [], "pyproject": ""}, ""),
        ({"name": "x"}, ""),
        ({"name": "x", "requirements": [], "python": "2.7"}, "python"),
        ({"name": "x", "requirements": [], "python": "/usr/bin/python"}, "python"),
        ({"name": "x", "requirements": [], "colour": "red"}, "colour"),
    ],
)
async def test_a_bad_request_names_the_field(platform: Platform, body: dict[str, Any], field: str) -> None:
    async with platform.client() as client:
        answer = await client.post("/images", json=body)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == field


async def test_a_viewer_and_a_stranger_cannot_make_environments_in_a_workspace(platform: Platform) -> None:
    for who in ("bob", "carl"):
        async with platform.client(who) as client:
            answer = await client.post("/images", json={"name": "x", "workspace": "lab", "requirements": []})
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (403, "workspace")


async def test_a_name_is_taken_once_per_workspace(platform: Platform) -> None:
    await platform.create("tools", [])
    await platform.create("tools", [], workspace="lab")
    async with platform.client() as client:
        assert (await client.post("/images", json={"name": "tools", "requirements": []})).status_code == 409


async def test_what_is_not_shared_is_not_there_for_others(platform: Platform) -> None:
    made = await platform.create("secret", ["six"])
    async with platform.client("carl") as client:
        for method, path in [
            ("GET", ""), ("PATCH", ""), ("DELETE", ""), ("GET", "/versions"), ("GET", "/versions/1"),
            ("GET", "/versions/1/log"), ("GET", "/versions/1/log/events"), ("POST", "/versions/1/retry"),
            ("DELETE", "/versions/1"), ("PUT", "/shares/carl"),
        ]:  # fmt: skip
            answer = await client.request(method, f"/images/{made['id']}{path}", json={} if method == "PATCH" else None)
            assert answer.status_code == 404, (method, path)
        assert await names(client) == []


async def test_sharing_with_a_workspace_lets_it_use_but_not_change(platform: Platform) -> None:
    made = await platform.create("shared", ["six"])
    async with platform.client() as ann, platform.client("carl") as carl:
        shared = await ann.put(f"/images/{made['id']}/shares/carl")
        assert shared.json()["shared_with"] == ["carl"]
        assert (await ann.put(f"/images/{made['id']}/shares/cral")).status_code == 404
        seen = (await carl.get(f"/images/{made['id']}")).json()
        assert (seen["shared_with"], seen["may_write"]) == ([], False)
        assert await names(carl, view="shared") == ["shared"]
        assert (await carl.patch(f"/images/{made['id']}", json={"description": "mine"})).status_code == 403
        assert (await ann.delete(f"/images/{made['id']}/shares/carl")).status_code == 200
        assert (await carl.get(f"/images/{made['id']}")).status_code == 404


async def test_everyone_sees_what_is_for_everyone_and_only_admins_make_presets(platform: Platform) -> None:
    made = await platform.create("open", ["six"], visibility="everyone")
    async with platform.client() as ann, platform.client("carl") as carl, platform.client("root") as root:
        assert await names(carl) == ["open"]
        assert (await ann.patch(f"/images/{made['id']}", json={"preset": True})).status_code == 403
        assert (await root.patch(f"/images/{made['id']}", json={"preset": True})).json()["preset"]
        assert await names(carl, view="preset") == ["open"]
        # Everybody now trusts it as the platform's: its workspace no longer changes it alone.
        assert (await ann.post(f"/images/{made['id']}/versions", json={"requirements": []})).status_code == 403


async def test_only_admins_list_everything(platform: Platform) -> None:
    await platform.create("secret", [])
    async with platform.client("carl") as carl, platform.client("root") as root:
        assert (await carl.get("/images", params={"view": "everything"})).status_code == 403
        assert await names(root, view="everything") == ["secret"]
        assert await names(root) == []


async def test_an_edit_of_an_old_revision_is_refused(platform: Platform) -> None:
    made = await platform.create("tools", [])
    async with platform.client() as client:
        path = f"/images/{made['id']}"
        etag = (await client.get(path)).headers["ETag"]
        first = await client.patch(path, json={"description": "one"}, headers={"If-Match": etag})
        second = await client.patch(path, json={"description": "two"}, headers={"If-Match": etag})
        assert (first.status_code, second.status_code) == (200, 412)


async def test_versions_count_up_and_no_number_is_used_twice(platform: Platform) -> None:
    made = await platform.create("tools", [])
    async with platform.client() as client:
        path = f"/images/{made['id']}/versions"
        assert (await client.post(path, json={"requirements": ["six"]})).json()["number"] == 2
        assert (await client.delete(f"{path}/2")).status_code == 204
        assert (await client.post(path, json={"requirements": ["six"]})).json()["number"] == 3
        states = [(item["number"], item["state"]) for item in (await client.get(path)).json()["items"]]
        assert states == [(3, "queued"), (2, "deleted"), (1, "queued")]
        assert (await client.get(f"{path}/2")).json()["reason"] == "cancelled"
        for number in ("4", "0", "-1", "one", "9" * 30):
            assert (await client.get(f"{path}/{number}")).status_code == 404


async def test_nobody_fills_the_builders_queue(platform: Platform) -> None:
    made = await platform.create("many", [])
    async with platform.client() as client:
        path = f"/images/{made['id']}/versions"
        for _ in range(19):
            assert (await client.post(path, json={"requirements": []})).status_code == 201
        refused = await client.post(path, json={"requirements": []})
        assert (refused.status_code, refused.json()["reason"]) == (409, "too_many_builds")


async def test_an_admins_look_at_a_private_environment_is_in_the_audit_log(platform: Platform) -> None:
    made = await platform.create("secret", [])
    async with platform.client() as ann, platform.client("root") as root:
        await ann.get(f"/images/{made['id']}")
        await root.get(f"/images/{made['id']}")
    async with platform.database.read() as session:
        read = await session.scalars(select(AuditRow).where(AuditRow.action == "GET /images/{image}"))
        assert [(row.actor, row.owner) for row in read] == [("root", "ann")]


async def test_what_a_workload_uses_cannot_be_deleted(platform: Platform) -> None:
    made = await platform.create("busy", [])
    platform.users = ["ann/train-7"]
    async with platform.client() as client:
        for path in (f"/images/{made['id']}", f"/images/{made['id']}/versions/1"):
            answer = await client.delete(path)
            assert (answer.status_code, answer.json()["reason"]) == (409, "in_use")
            assert "ann/train-7" in answer.json()["detail"]


async def test_the_log_is_served_by_ranges_and_followed_from_any_event(platform: Platform, index: Index) -> None:
    index.wheel("hello")
    made = await platform.create("logged", ["hello"])
    path = f"/images/{made['id']}/versions/1/log"
    async with platform.building(uv=index.uv), platform.client() as client:
        events = await follow(client, path)
        whole = (await client.get(path)).text
        part = await client.get(path, headers={"Range": "bytes=4-9"})
        assert (part.status_code, part.text) == (206, whole[4:10])
        assert (await client.get(path, headers={"Range": "bytes=999999-"})).status_code == 416
        rest = await follow(client, path, after=events[0][0])
    assert "".join(data["text"] for _, kind, data in events if kind == "log") == whole
    assert events[-1][1:] == ("end", {"state": "ready", "reason": "", "message": ""})
    assert rest == events[1:] or "".join(d.get("text", "") for *_, d in rest) == whole[int(events[0][0]) :]
    assert "uv pip sync" in whole


async def follow(client: httpx.AsyncClient, path: str, *, after: str | None = None) -> list[tuple[str, str, Any]]:
    events: list[tuple[str, str, Any]] = []
    headers = {"Last-Event-ID": after} if after else {}
    async with client.stream("GET", f"{path}/events", headers=headers) as answer:
        assert answer.status_code == 200
        fields: dict[str, str] = {}
        async for line in answer.aiter_lines():
            name, _, value = line.partition(": ")
            fields[name] = value
            if not line and "data" in fields:
                events.append((fields["id"], fields["event"], json.loads(fields["data"])))
                fields = {}
    return events


async def test_saving_a_notebook_shows_the_difference_and_then_makes_a_version(
    platform: Platform, index: Index
) -> None:
    index.wheel("hello", "1.0")
    index.wheel("hello", "2.0")
    index.wheel("extra")
    made = await platform.create("mine", ["hello==1.0"])
    freeze = {"packages": ["hello==2.0", "extra==1.0", "mine @ file:///home/ann/mine"]}
    async with platform.building(uv=index.uv), platform.client() as client:
        await platform.ended(made["id"])
        difference = (await client.post(f"/images/{made['id']}/diff", json=freeze)).json()
        assert difference["against"] == 1
        assert difference["added"] == {"extra": "1.0"}
        assert difference["changed"] == [{"name": "hello", "before": "1.0", "after": "2.0"}]
        assert len(difference["refused"]) == 1
        refused = await client.post(f"/images/{made['id']}/freeze", json=freeze)
        assert (refused.status_code, refused.json()["errors"][0]["field"]) == (422, "packages")
        kept = (await client.post(f"/images/{made['id']}/freeze", json={**freeze, "leave_out_refused": True})).json()
        version = await platform.ended(made["id"], kept["number"])
    assert version["packages"] == {"extra": "1.0", "hello": "2.0"}


async def test_a_notebook_on_the_platforms_python_is_saved_under_a_name_of_ones_own(platform: Platform) -> None:
    await platform.service.interpreters.register_default(sys.executable)
    async with platform.client() as client:
        default = (await client.get("/images/resolve", params={"reference": "default"})).json()
        path = f"/images/{default['environment']}/freeze"
        assert (await client.post(path, json={"packages": ["six==1.17.0"]})).status_code == 403
        saved = (await client.post(path, json={"packages": ["six==1.17.0"], "name": "mine"})).json()
        assert (saved["number"], saved["requirements"]) == (1, ["six==1.17.0"])
        again = (await client.post(path, json={"packages": ["six==1.16.0"], "name": "mine"})).json()
        assert (again["environment"], again["number"]) == (saved["environment"], 2)


async def test_the_platforms_own_python_is_the_default_and_needs_no_build(platform: Platform) -> None:
    for _ in range(2):  # every start registers it: nothing changes unless the packages do
        await platform.service.interpreters.register_default(sys.executable)
    async with platform.database.read() as session:
        ref = await platform.service.resolve(session, person("carl"), reference=None, field="environment")
    assert (str(ref), ref.state, str(ref.python)) == ("pumpkin/default@1", "ready", sys.executable)
    assert ref.kernel
    assert ref.server
    assert (await platform.service.ensure_ready(ref.version_id)).version_id == ref.version_id


async def test_on_a_cluster_the_default_is_what_its_image_has_and_a_new_image_is_a_new_version(
    platform: Platform,
) -> None:
    for image in ("house/notebook:1", "house/notebook:1", "house/notebook:2"):
        await platform.service.interpreters.register_default(sys.executable, image=image)
    async with platform.database.read() as session:
        ref = await platform.service.resolve(session, person("carl"), reference=None, field="environment")
    assert (ref.number, ref.state, ref.no_notebook, ref.no_executor) == (2, "ready", "", "")


async def test_admins_register_interpreters_and_others_do_not(platform: Platform) -> None:
    body = {"name": "system", "python": sys.executable, "description": "As installed."}
    async with platform.client("root") as root, platform.client() as ann:
        assert (await ann.post("/images/interpreters", json=body)).status_code == 403
        made = (await root.post("/images/interpreters", json=body)).json()
        assert (made["kind"], made["latest"]["state"]) == ("interpreter", "ready")
        assert await names(ann, kind="interpreter") == ["system"]
        for python in ("python3", "/nowhere/python", "/etc/passwd", "/bin/true", "/bin/echo"):
            answer = await root.post("/images/interpreters", json={"name": "bad", "python": python})
            assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, "python"), python


async def test_a_reference_means_ones_own_first_and_is_refused_when_it_could_be_several(platform: Platform) -> None:
    for workspace in ("ann", "lab"):
        await platform.create("tools", [], workspace=workspace)
    for who in ("root", "carl"):
        await platform.create("open", [], who=who, visibility="everyone")
    resolve = platform.service.resolve
    async with platform.database.read() as session:
        assert str(await resolve(session, person("ann"), reference="tools", field="e")) == "ann/tools@1"
        assert str(await resolve(session, person("bob"), reference="tools@1", field="e")) == "lab/tools@1"
        assert str(await resolve(session, person("ann"), reference="carl/open", field="e")) == "carl/open@1"
        with pytest.raises(Invalid, match="carl/open, root/open"):
            await resolve(session, person("ann"), reference="open", field="e")
        for reference in ("ann/tools", "tools@2", "nothing"):
            with pytest.raises(NotFound):
                await resolve(session, person("bob"), reference=reference, field="e")


async def test_requirements_are_judged_before_anything_is_made(platform: Platform) -> None:
    async with platform.client() as client:
        good = await client.post("/images/check", json={"requirements": "six>=1 # needed\n\nNumPy"})
        bad = await client.post("/images/check", json={"requirements": "six\n-e .\n/tmp/x"})
        assert (await client.get("/images", params={"view": "mine"})).json()["items"] == []
    assert good.json() == {"requirements": ["six>=1", "NumPy"]}
    assert bad.status_code == 422
    assert [error["field"] for error in bad.json()["errors"]] == ["requirements.2", "requirements.3"]


async def test_what_is_taken_down_is_used_by_its_workspace_alone_which_is_told_why(platform: Platform) -> None:
    made = await platform.create("tools", [], visibility="everyone")
    one = f"/images/{made['id']}"
    async with platform.client() as ann, platform.client("carl") as carl, platform.client("root") as root:
        assert (await root.patch(one, json={"preset": True})).json()["preset"] is True
        assert (await ann.post(f"{one}/takedown", json={"reason": "mine"})).status_code == 403
        hidden = (await root.post(f"{one}/takedown", json={"reason": "A hole in it."})).json()
        assert (hidden["taken_down"]["by"], hidden["taken_down"]["reason"]) == ("root", "A hole in it.")
        assert (await carl.get(one)).status_code == 404
        assert await names(carl) == []
        assert (await ann.get(one)).json()["taken_down"]["reason"] == "A hole in it."
        assert (await ann.post(f"{one}/restore")).status_code == 403
        assert (await root.patch(one, json={"preset": True})).status_code == 409
        for view in ("taken_down", "everything"):
            assert await names(root, view=view) == ["tools"]
        assert (await root.post(f"{one}/restore")).json()["taken_down"] is None
        assert await names(carl) == ["tools"]
