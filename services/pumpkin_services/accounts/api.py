"""Routes of accounts: the caller, users, workspaces and their members, the audit log."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

from pumpkin_services.accounts.audit import COLUMNS, audit_rows, list_audit
from pumpkin_services.accounts.models import (
    AuditFilter,
    AuditLine,
    AuditQuery,
    Freeze,
    Me,
    Member,
    MemberPut,
    Members,
    OneTimePassword,
    ProfilePatch,
    User,
    UserCreate,
    UserCreated,
    UserPatch,
    UserQuery,
    Workspace,
    WorkspaceCreate,
    WorkspacePatch,
    WorkspaceQuery,
)
from pumpkin_services.accounts.people import People
from pumpkin_services.accounts.service import AccountService
from pumpkin_services.accounts.tokens_api import routes as token_routes
from pumpkin_services.accounts.workspaces import HubFacts
from pumpkin_services.csvout import csv_stream
from pumpkin_services.db import Database
from pumpkin_services.web import Call, Page, Route

READ, WRITE, ADMIN = "accounts:read", "accounts:write", "accounts:admin"


def routes(service: AccountService, people: People, database: Database) -> list[Route]:
    """Return the routes over `service` and `people`; `database` is for the audit log's export, which streams."""
    users = _me(service) + token_routes(service.tokens) + _users(service) + _people(people)
    return users + _workspaces(service) + _members(service) + _audit(database)


def _me(service: AccountService) -> list[Route]:
    async def me(call: Call[None, None]) -> Me:
        return await service.me(call.session, call.principal)

    async def patch(call: Call[ProfilePatch, None]) -> Me:
        return await service.patch_me(call.session, call.principal, patch=call.body, if_match=call.if_match)

    path = "/accounts/me"
    return [
        _route("GET", path, "Who you are and what you may do", me, scope=None, owner="self", response=Me),
        _route("PATCH", path, "Change your profile", patch, owner="self", request=ProfilePatch, response=Me),
    ]


def _users(service: AccountService) -> list[Route]:
    async def users(call: Call[None, UserQuery]) -> Page[User]:
        call.audit["object"] = "users"
        return await service.list_users(call.session, call.principal, query=call.query)

    async def user(call: Call[None, None]) -> User:
        call.audit["owner"] = call.path["user"]
        return await service.get_user(call.session, call.principal, name=call.path["user"])

    async def freeze(call: Call[Freeze, None]) -> User:
        name = call.path["user"]
        call.audit.update(owner=name, reason=call.body.reason)
        frozen = await service.freeze(
            call.session, call.principal, name=name, reason=call.body.reason, if_match=call.if_match
        )
        call.after_commit(lambda: service.sync.push_user(name))
        return frozen

    async def thaw(call: Call[None, None]) -> User:
        call.audit["owner"] = call.path["user"]
        thawed = await service.thaw(call.session, call.principal, name=call.path["user"], if_match=call.if_match)
        call.after_commit(lambda: service.sync.push_user(thawed.name))
        return thawed

    rule: dict[str, Any] = {"scope": ADMIN, "owner": "admin"}
    one: dict[str, Any] = {"response": User, **rule}
    return [
        _route("GET", "/accounts/users", "List users", users, query=UserQuery, response=Page[User], **rule),
        _route("GET", "/accounts/users/{user}", "Show a user", user, **one),
        _route("POST", "/accounts/users/{user}/freeze", "Shut a user out", freeze, request=Freeze, **one),
        _route("POST", "/accounts/users/{user}/thaw", "Let a frozen user in again", thaw, **one),
    ]


def _people(people: People) -> list[Route]:
    async def create(call: Call[UserCreate, None]) -> UserCreated:
        name = call.body.name
        call.audit.update(object=name, owner=name, admin=call.body.admin)
        return await people.create(call.principal, request=call.body)

    async def password(call: Call[None, None]) -> OneTimePassword:
        name = call.path["user"]
        call.audit["owner"] = name
        made = await people.one_time_password(call.principal, name=name)
        return OneTimePassword(one_time_password=made)

    async def patch(call: Call[UserPatch, None]) -> User:
        name = call.path["user"]
        call.audit.update(owner=name, admin=call.body.admin)
        return await people.set_admin(call.principal, name=name, admin=call.body.admin)

    # Without a transaction around them: the Hub is asked, and no answer with a password is kept for being repeated.
    rule: dict[str, Any] = {"scope": ADMIN, "owner": "admin", "session": False}
    one = "/accounts/users/{user}"
    return [
        _route(
            "POST", "/accounts/users", "Make a user", create,
            request=UserCreate, response=UserCreated, status=201, **rule,
        ),
        _route(
            "POST", one + "/one-time-password", "Make a one-time password", password,
            response=OneTimePassword, status=201, **rule,
        ),
        _route("PATCH", one, "Make a user an admin, or no longer", patch, request=UserPatch, response=User, **rule),
    ]  # fmt: skip


def _workspaces(service: AccountService) -> list[Route]:
    rules = service.workspaces

    async def workspaces(call: Call[None, WorkspaceQuery]) -> Page[Workspace]:
        if call.query.all:
            call.audit["object"] = "workspaces"
        return await rules.list_workspaces(call.session, call.principal, query=call.query)

    async def ask_hub(call: Call[WorkspaceCreate, None]) -> HubFacts:
        return await rules.facts(call.body.name, group=True)

    async def create(call: Call[WorkspaceCreate, None]) -> Workspace:
        name = call.body.name
        call.audit.update(object=name, owner=name)
        made = await rules.create_workspace(call.session, call.principal, request=call.body, facts=call.prepared)
        call.after_commit(lambda: service.forget(call.principal.name))
        call.after_commit(lambda: service.sync.push_workspace(name))
        return made

    async def workspace(call: Call[None, None]) -> Workspace:
        _note_outside(call)
        return await rules.get_workspace(call.session, call.principal, name=call.path["workspace"])

    async def patch(call: Call[WorkspacePatch, None]) -> Workspace:
        return await rules.patch_workspace(
            call.session, call.principal, name=call.path["workspace"], patch=call.body, if_match=call.if_match
        )

    async def delete(call: Call[None, None]) -> None:
        name = call.path["workspace"]
        await rules.delete_workspace(call.session, call.principal, name=name, if_match=call.if_match)
        call.after_commit(lambda: service.sync.push_workspace(name))

    every, one = "/accounts/workspaces", "/accounts/workspaces/{workspace}"
    return [
        _route("GET", every, "List workspaces", workspaces, query=WorkspaceQuery, response=Page[Workspace]),
        _route(
            "POST",
            every,
            "Make a workspace",
            create,
            owner="any",
            request=WorkspaceCreate,
            response=Workspace,
            status=201,
            prepare=ask_hub,
        ),
        _route("GET", one, "Show a workspace", workspace, response=Workspace),
        _route("PATCH", one, "Change a workspace", patch, request=WorkspacePatch, response=Workspace),
        _route("DELETE", one, "Delete an empty workspace", delete),
    ]


def _members(service: AccountService) -> list[Route]:
    rules = service.workspaces

    async def members(call: Call[None, None]) -> Members:
        _note_outside(call)
        return await rules.members(call.session, call.principal, name=call.path["workspace"])

    async def ask_hub(call: Call[MemberPut, None]) -> HubFacts:
        return await rules.facts(call.path["user"])

    async def put(call: Call[MemberPut, None]) -> Member:
        name, user = call.path["workspace"], call.path["user"]
        call.audit.update(object=user, owner=name, role=call.body.role)
        member = await rules.put_member(
            call.session,
            call.principal,
            name=name,
            user=user,
            request=call.body,
            facts=call.prepared,
            if_match=call.if_match,
        )
        follow(call)
        return member

    async def remove(call: Call[None, None]) -> None:
        name, user = call.path["workspace"], call.path["user"]
        call.audit.update(object=user, owner=name)
        await rules.remove_member(call.session, call.principal, name=name, user=user, if_match=call.if_match)
        follow(call)

    def follow(call: Call[Any, Any]) -> None:
        call.after_commit(lambda: service.forget(call.path["user"]))
        call.after_commit(lambda: service.sync.push_workspace(call.path["workspace"]))

    every = "/accounts/workspaces/{workspace}/members"
    one = every + "/{user}"
    return [
        _route("GET", every, "List a workspace's members", members, response=Members),
        _route("PUT", one, "Add a member or change the role", put, request=MemberPut, response=Member, prepare=ask_hub),
        _route("DELETE", one, "Remove a member, or leave", remove),
    ]


def _audit(database: Database) -> list[Route]:
    async def lines(call: Call[None, AuditQuery]) -> Page[AuditLine]:
        call.audit["object"] = "audit"
        return await list_audit(call.session, query=call.query)

    async def export(call: Call[None, AuditFilter]) -> AsyncIterator[bytes]:
        call.audit["object"] = "audit"
        call.handler.set_header("Content-Disposition", 'attachment; filename="audit.csv"')
        return csv_stream(COLUMNS, audit_rows(database, query=call.query))

    rule: dict[str, Any] = {"scope": ADMIN, "owner": "admin"}
    csv: dict[str, Any] = {"streams": "text/csv; charset=utf-8", "session": False}
    return [
        _route(
            "GET", "/accounts/audit", "List the audit log", lines, query=AuditQuery, response=Page[AuditLine], **rule
        ),
        _route("GET", "/accounts/audit/export", "The audit log as CSV", export, query=AuditFilter, **rule, **csv),
    ]


def _note_outside(call: Call[Any, Any]) -> None:
    """Have an admin's look into somebody else's workspace audited."""
    if call.path["workspace"] not in call.principal.workspaces:
        call.audit["owner"] = call.path["workspace"]


def _route(
    method: Any, path: str, summary: str, endpoint: Any, *, scope: str | None = "", owner: Any = None, **rest: Any
) -> Route:
    if scope == "":
        scope = READ if method == "GET" else WRITE
    chosen = owner or ("member" if method == "GET" else "owner")
    return Route(method=method, path=path, summary=summary, endpoint=endpoint, scope=scope, owner=chosen, **rest)
