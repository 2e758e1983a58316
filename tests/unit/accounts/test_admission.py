from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from pumpkin_services.accounts.models import MemberPut, WorkspaceCreate
from pumpkin_services.accounts.service import AccountService
from pumpkin_services.accounts.sync import HubSync
from pumpkin_services.accounts.tables import UserRow, WorkspaceRow
from pumpkin_services.accounts.workspaces import HubFacts
from pumpkin_services.db import Database, utcnow
from pumpkin_services.hub import HubClient
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden
from tests.unit.accounts.conftest import RealHub, caller

ROOT = caller("root", admin=True)


async def admit(hub: RealHub, accounts: AccountService, user: str) -> Principal:
    accounts.forget(user)
    return await accounts.admit(caller(user), hub.model(user))


async def age(database: Database, workspace: str) -> None:
    """Let the Hub's word on a group be newer than our last change."""
    async with database.write() as session:
        await session.execute(
            update(WorkspaceRow).where(WorkspaceRow.name == workspace).values(synced=utcnow() - timedelta(minutes=5))
        )


async def test_a_first_visit_makes_a_user_with_a_personal_workspace(
    hub: RealHub, accounts: AccountService, database: Database
) -> None:
    user = hub.user()
    principal = await admit(hub, accounts, user)
    assert principal.workspaces == {user: "owner"}
    assert principal.roles == {"user"}
    async with database.read() as session:
        assert await accounts.is_user(session, user)
        me = await accounts.me(session, principal)
        assert [(item.workspace, item.personal) for item in me.workspaces] == [(user, True)]


async def test_an_admission_is_remembered_for_some_seconds(
    hub: RealHub, accounts: AccountService, database: Database
) -> None:
    user = hub.user()
    model = hub.model(user)
    await accounts.admit(caller(user), model)
    async with database.write() as session:  # as another replica of the service would
        await session.execute(update(UserRow).values(frozen=True))
    assert (await accounts.admit(caller(user), model)).workspaces == {user: "owner"}
    accounts.forget(user)
    with pytest.raises(Forbidden, match="frozen"):
        await accounts.admit(caller(user), model)


async def test_a_service_comes_in_as_it_is(accounts: AccountService) -> None:
    service = Principal(name="cull", kind="service")
    assert await accounts.admit(service, {}) is service


async def test_a_group_of_the_hub_becomes_a_workspace_and_leaving_it_leaves_the_workspace(
    hub: RealHub, accounts: AccountService, database: Database
) -> None:
    user, group = hub.user(), hub.name("lab")
    hub.ask("POST", f"/groups/{group}", {"users": [user]})
    assert (await admit(hub, accounts, user)).workspaces[group] == "member"
    await age(database, group)
    hub.ask("DELETE", f"/groups/{group}/users", {"users": [user]})
    assert group not in (await admit(hub, accounts, user)).workspaces
    hub.ask("POST", f"/groups/{group}/users", {"users": [user]})
    assert (await admit(hub, accounts, user)).workspaces[group] == "member"


async def test_a_frozen_user_is_refused_with_the_reason_and_loses_servers_and_tokens(
    hub: RealHub, accounts: AccountService, client: HubClient, database: Database
) -> None:
    user = hub.user()
    await admit(hub, accounts, user)
    model = hub.model(user)
    hub.ask("POST", f"/users/{user}/tokens", {"note": "mine"})
    await client.start_server(user)
    async with database.write() as session:
        await accounts.freeze(session, ROOT, name=user, reason="unpaid bill", if_match=None)
    with pytest.raises(Forbidden, match=r"is frozen \(unpaid bill\): ask an admin") as caught:
        await accounts.admit(caller(user), model)
    assert caught.value.reason == "frozen"
    async with database.read() as session:
        with pytest.raises(Forbidden, match="frozen"):
            await accounts.principal_of(session, user=user)
    await accounts.sync.settle()
    assert await client.tokens(user) == []
    found = await client.user(user)
    assert found is not None
    assert all(server.pending == "stop" for server in found.servers.values())
    async with database.write() as session:
        assert (await accounts.get_user(session, ROOT, name=user)).synced
        await accounts.thaw(session, ROOT, name=user, if_match=None)
    assert (await admit(hub, accounts, user)).workspaces == {user: "owner"}


async def test_sessions_the_hub_could_not_end_are_ended_later(
    hub: RealHub, accounts: AccountService, client: HubClient, database: Database
) -> None:
    user = hub.user()
    await admit(hub, accounts, user)
    hub.ask("POST", f"/users/{user}/tokens", {"note": "mine"})
    async with database.write() as session:
        await accounts.freeze(session, ROOT, name=user, reason="", if_match=None)
    away = HubClient(api_url="http://127.0.0.1:1/hub/api", token="x", patience=0)
    await HubSync(database=database, hub=away).push_user(user)
    away.close()
    assert len(await client.tokens(user)) == 1
    await accounts.sync.settle()
    assert await client.tokens(user) == []


async def test_nobody_freezes_themselves(hub: RealHub, accounts: AccountService, database: Database) -> None:
    user = hub.user()
    await admit(hub, accounts, user)
    async with database.write() as session:
        with pytest.raises(Conflict, match="ask another admin"):
            await accounts.freeze(session, caller(user, admin=True), name=user, reason="", if_match=None)


async def test_a_user_named_like_a_workspace_stays_outside(
    hub: RealHub, accounts: AccountService, database: Database
) -> None:
    owner, name = hub.user(), hub.name("lab")
    principal = await admit(hub, accounts, owner)
    async with database.write() as session:
        request = WorkspaceCreate(name=name)
        await accounts.workspaces.create_workspace(session, principal, request=request, facts=HubFacts(user=False))
    hub.ask("POST", f"/users/{name}")
    with pytest.raises(Forbidden, match="is the name of a workspace"):
        await admit(hub, accounts, name)


async def test_acting_for_a_user_brings_their_workspaces_and_no_admin_rights(
    hub: RealHub, accounts: AccountService, database: Database
) -> None:
    owner, member, name = hub.user(), hub.user(), hub.name("lab")
    principal = await admit(hub, accounts, owner)
    async with database.write() as session:
        request = WorkspaceCreate(name=name)
        await accounts.workspaces.create_workspace(session, principal, request=request, facts=HubFacts(user=False))
        await accounts.workspaces.put_member(
            session, await admit_owner(principal, name), name=name, user=member, request=MemberPut(role="viewer"),
            facts=HubFacts(user=True), if_match=None,
        )  # fmt: skip
        acting = await accounts.principal_of(session, user=member)
        assert acting.workspaces == {member: "owner", name: "viewer"}
        assert acting.has("datasets:write")
        assert not acting.admin("datasets")
        assert set(await session.scalars(select(UserRow.name))) == {owner}


async def admit_owner(principal: Principal, name: str) -> Principal:
    return Principal(name=principal.name, scopes=principal.scopes, workspaces={principal.name: "owner", name: "owner"})
