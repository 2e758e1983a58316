from __future__ import annotations

import asyncio
import time

import pytest

from pumpkin_services.hub import HubClient, HubRefused
from pumpkin_services.problems import NotFound, Unavailable
from tests.unit.accounts.conftest import RealHub


async def test_groups_are_made_filled_emptied_and_deleted_and_again(hub: RealHub, client: HubClient) -> None:
    name, ann, bob = hub.name("group"), hub.user(), hub.user()
    assert await client.group(name) is None
    for _ in range(2):
        await client.create_group(name)
        await client.add_to_group(name, [ann, bob])
    group = await client.group(name)
    assert group is not None
    assert set(group.users) == {ann, bob}
    assert name in [found.name for found in await client.groups()]
    for _ in range(2):
        await client.remove_from_group(name, [bob])
    assert hub.groups(ann) == [name]
    assert hub.groups(bob) == []
    for _ in range(2):
        await client.delete_group(name)
    assert hub.groups(ann) == []


async def test_a_group_of_an_odd_name_is_one_group(hub: RealHub, client: HubClient) -> None:
    name = f"a/b c?{hub.name()}"
    await client.create_group(name)
    group = await client.group(name)
    assert group is not None
    assert group.name == name
    await client.delete_group(name)


async def test_whoever_has_a_server_is_listed_over_all_pages(
    hub: RealHub, client: HubClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pumpkin_services.hub.PAGE", 1)
    idle, *busy = hub.user(), hub.user(), hub.user()
    for name in busy:
        assert await client.start_server(name)
    found = {user.name async for user in client.active_users()}
    assert set(busy) <= found
    assert idle not in found
    hub.ask("DELETE", f"/users/{idle}")
    assert await client.user(idle) is None


async def test_a_server_is_started_seen_and_stopped_and_again(hub: RealHub, client: HubClient) -> None:
    user = hub.user()
    for server in ("", "second"):
        for _ in range(2):
            assert await client.start_server(user, server, options={"spec": "cpu-small"})
    found = await client.user(user)
    assert found is not None
    assert {name: server.ready for name, server in found.servers.items()} == {"": True, "second": True}
    assert found.servers["second"].user_options == {"spec": "cpu-small"}
    for server in ("", "second", "never"):
        for _ in range(2):
            await client.stop_server(user, server)
    for _ in range(600):
        found = await client.user(user)
        if found is not None and not found.servers:
            break
        await asyncio.sleep(0.1)
    assert found is not None
    assert not found.servers


async def test_tokens_are_listed_and_deleted(hub: RealHub, client: HubClient) -> None:
    user = hub.user()
    token = hub.ask("POST", f"/users/{user}/tokens", {"note": "x"})
    assert [found.id for found in await client.tokens(user)] == [token["id"]]
    for _ in range(2):
        await client.delete_token(user, token["id"])
    assert await client.tokens(user) == []
    assert await client.tokens("nobody-here") == []


async def test_what_the_hub_refuses_is_said_with_its_words(hub: RealHub, client: HubClient) -> None:
    with pytest.raises(NotFound):
        await client.add_to_group("no-such-group", [hub.user()])
    stranger = HubClient(api_url=hub.api_url, token="wrong", patience=1)
    with pytest.raises(HubRefused) as caught:
        await stranger.groups()
    assert caught.value.hub_status == 403
    stranger.close()


async def test_a_hub_that_is_away_is_asked_again_for_as_long_as_patience_lasts() -> None:
    lonely = HubClient(api_url="http://127.0.0.1:1/hub/api", token="x", patience=0.5)
    began = time.monotonic()
    with pytest.raises(Unavailable, match=r"away or busy|does not answer"):
        await lonely.groups()
    assert 0.2 < time.monotonic() - began < 5
    lonely.close()
