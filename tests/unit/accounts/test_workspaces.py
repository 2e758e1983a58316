from __future__ import annotations

import pytest

from pumpkin_services.accounts.models import MemberPut, WorkspaceCreate, WorkspaceQuery
from pumpkin_services.accounts.service import AccountService
from pumpkin_services.db import Database
from pumpkin_services.hub import HubClient
from pumpkin_services.principal import Principal, WorkspaceRole
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound
from tests.unit.accounts.conftest import RealHub, caller

ROOT = caller("root", admin=True)


class House:
    """What the routes do: ask the Hub first, commit, then let the Hub follow."""

    def __init__(self, hub: RealHub, accounts: AccountService, database: Database) -> None:
        self.hub, self.accounts, self.database = hub, accounts, database
        self.rules = accounts.workspaces

    async def come_in(self, prefix: str = "user") -> str:
        name = self.hub.user(prefix)
        await self.who(name)
        return name

    async def who(self, user: str) -> Principal:
        if user == "root":
            return ROOT
        return await self.accounts.admit(caller(user), self.hub.model(user))

    async def create(self, owner: str, name: str) -> None:
        facts = await self.rules.facts(name, group=True)
        principal = await self.who(owner)
        async with self.database.write() as session:
            await self.rules.create_workspace(session, principal, request=WorkspaceCreate(name=name), facts=facts)
        self.accounts.forget(owner)
        await self.accounts.sync.push_workspace(name)

    async def put(self, actor: str, name: str, user: str, role: WorkspaceRole) -> None:
        facts = await self.rules.facts(user)
        principal = await self.who(actor)
        async with self.database.write() as session:
            await self.rules.put_member(
                session, principal, name=name, user=user, request=MemberPut(role=role), facts=facts, if_match=None
            )
        await self.accounts.sync.push_workspace(name)

    async def remove(self, actor: str, name: str, user: str) -> None:
        principal = await self.who(actor)
        async with self.database.write() as session:
            await self.rules.remove_member(session, principal, name=name, user=user, if_match=None)
        await self.accounts.sync.push_workspace(name)

    async def delete(self, actor: str, name: str) -> None:
        principal = await self.who(actor)
        async with self.database.write() as session:
            await self.rules.delete_workspace(session, principal, name=name, if_match=None)
        await self.accounts.sync.push_workspace(name)


@pytest.fixture
def house(hub: RealHub, accounts: AccountService, database: Database) -> House:
    return House(hub, accounts, database)


async def test_a_workspace_is_a_hub_group_and_follows_its_members(house: House, client: HubClient) -> None:
    ann, bob, name = await house.come_in(), await house.come_in(), house.hub.name("lab")
    await house.create(ann, name)
    await house.put(ann, name, bob, "viewer")
    assert house.hub.groups(bob) == [name]
    assert (await house.who(bob)).workspaces[name] == "viewer"
    await house.put(ann, name, bob, "owner")
    assert (await house.who(bob)).workspaces[name] == "owner"
    await house.remove(bob, name, ann)
    assert house.hub.groups(ann) == []
    assert name not in (await house.who(ann)).workspaces
    await house.delete(bob, name)
    assert await client.group(name) is None
    assert name not in (await house.who(bob)).workspaces


async def test_a_name_used_by_a_user_a_workspace_or_a_group_is_refused(house: House) -> None:
    ann, never_here, name = await house.come_in(), house.hub.user(), house.hub.name("lab")
    group = house.hub.name("group")
    house.hub.ask("POST", f"/groups/{group}", {"users": [never_here]})
    await house.create(ann, name)
    for taken, words in (
        (ann, "name of a user"),
        (never_here, "name of a user"),
        (name, "already"),
        (group, "already"),
    ):
        with pytest.raises(Conflict, match=words):
            await house.create(ann, taken)
    assert house.hub.groups(never_here) == [group]


async def test_a_deleted_name_can_be_used_again_and_brings_nobody_back(house: House) -> None:
    ann, bob, name = await house.come_in(), await house.come_in(), house.hub.name("lab")
    await house.create(ann, name)
    await house.put(ann, name, bob, "member")
    stale = house.hub.model(bob)
    await house.delete(ann, name)
    assert name not in (await house.accounts.admit(caller(bob), stale)).workspaces
    await house.create(ann, name)
    assert name not in (await house.accounts.admit(caller(bob), stale)).workspaces
    assert house.hub.groups(bob) == []


async def test_the_last_owner_can_neither_leave_nor_step_down(house: House) -> None:
    ann, bob, name = await house.come_in(), await house.come_in(), house.hub.name("lab")
    await house.create(ann, name)
    await house.put(ann, name, bob, "member")
    with pytest.raises(Conflict, match="last owner"):
        await house.remove(ann, name, ann)
    with pytest.raises(Conflict, match="last owner"):
        await house.put(ann, name, ann, "member")
    with pytest.raises(Conflict, match="last owner"):
        await house.remove("root", name, ann)
    await house.put(ann, name, bob, "owner")
    await house.remove(ann, name, ann)


@pytest.mark.parametrize("role", ["member", "viewer"])
async def test_only_owners_and_admins_manage_but_everybody_may_leave(house: House, role: WorkspaceRole) -> None:
    ann, bob, cleo, name = await house.come_in(), await house.come_in(), await house.come_in(), house.hub.name("lab")
    await house.create(ann, name)
    await house.put("root", name, bob, role)
    with pytest.raises(Forbidden, match="Only owners"):
        await house.put(bob, name, cleo, "member")
    with pytest.raises(Forbidden, match="Only owners"):
        await house.remove(bob, name, ann)
    with pytest.raises(Forbidden, match="Only owners"):
        await house.delete(bob, name)
    with pytest.raises(NotFound):
        await house.remove(cleo, name, bob)
    await house.remove(bob, name, bob)
    assert name not in (await house.who(bob)).workspaces


async def test_somebody_the_hub_does_not_know_cannot_be_added(house: House) -> None:
    ann, name = await house.come_in(), house.hub.name("lab")
    await house.create(ann, name)
    with pytest.raises(Invalid, match="knows no user 'ghost'"):
        await house.put(ann, name, "ghost", "member")


async def test_a_member_deleted_from_the_hub_does_not_hold_up_the_others(house: House) -> None:
    ann, bob, cleo, name = await house.come_in(), await house.come_in(), await house.come_in(), house.hub.name("lab")
    await house.create(ann, name)
    await house.put(ann, name, bob, "member")
    house.hub.ask("DELETE", f"/users/{bob}")
    await house.put(ann, name, cleo, "member")
    assert house.hub.groups(cleo) == [name]


async def test_a_workspace_that_holds_something_is_not_deleted(house: House) -> None:
    ann, name = await house.come_in(), house.hub.name("lab")
    await house.create(ann, name)
    kept = ["3 datasets"]

    async def holdings(_session: object, workspace: str) -> str:
        return kept[0] if kept and workspace == name else ""

    house.rules.holdings.append(holdings)
    with pytest.raises(Conflict, match="still holds 3 datasets"):
        await house.delete(ann, name)
    kept.clear()
    await house.delete(ann, name)


async def test_the_personal_workspace_is_listed_first_and_cannot_be_shared(house: House) -> None:
    ann, bob, name = await house.come_in(), await house.come_in(), house.hub.name("lab")
    await house.create(ann, name)
    principal = await house.who(ann)
    async with house.database.read() as session:
        listed = await house.rules.list_workspaces(session, principal, query=WorkspaceQuery())
        assert [(item.name, item.personal, item.role) for item in listed.items] == [
            (ann, True, "owner"),
            (name, False, "owner"),
        ]
        assert (await house.rules.get_workspace(session, principal, name=ann)).personal
        with pytest.raises(NotFound):
            await house.rules.get_workspace(session, await house.who(bob), name=name)
        everybody = await house.rules.list_workspaces(session, ROOT, query=WorkspaceQuery(all=True))
        assert [item.name for item in everybody.items] == [name]
    with pytest.raises(Invalid, match="personal workspace is yours alone"):
        await house.put(ann, ann, bob, "member")


async def test_a_group_the_hub_was_not_told_of_is_caught_up_with(house: House, client: HubClient) -> None:
    ann, name = await house.come_in(), house.hub.name("lab")
    facts = await house.rules.facts(name, group=True)
    principal = await house.who(ann)
    async with house.database.write() as session:
        await house.rules.create_workspace(session, principal, request=WorkspaceCreate(name=name), facts=facts)
    house.accounts.forget(ann)
    # Though the Hub knows no such group yet, the workspace is there.
    assert (await house.who(ann)).workspaces[name] == "owner"
    await house.accounts.sync.settle()
    group = await client.group(name)
    assert group is not None
    assert group.users == (ann,)
