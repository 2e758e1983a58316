"""Environments, resources, accounts and money."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pumpkin import _models as models
from pumpkin._async.transport import AsyncTransport
from pumpkin._protocol import Event, Reference, given
from pumpkin.errors import PumpkinError

Role = Literal["owner", "member", "viewer"]


class AsyncEnvironments:
    """Named sets of locked Python requirements. A `reference` is `name`, `name@3` or `workspace/name@3`."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def list(
        self, *, q: str | None = None, limit: int | None = None, **filters: Any
    ) -> AsyncIterator[models.Environment]:
        """Yield the environments the caller may use; `filters` are `workspace`, `name`, `kind`, `preset`."""
        async for item in self._transport.pages(models.Environment, "/images", limit=limit, q=q, **filters):
            yield item

    async def get(self, reference: str) -> models.Environment:
        """Return one by name."""
        wanted = Reference.parse(reference)
        found = [item async for item in self.list(name=wanted.name, workspace=wanted.workspace)]
        if not found:
            raise PumpkinError(
                f"There is no environment '{wanted.name}' that you may use.",
                field="environment",
                reason="not_found",
                status=404,
            )
        if len(found) > 1:
            me = await self._transport.get(models.Me, "/accounts/me")
            ranks = {item.workspace: 1 for item in me.workspaces} | {me.name: 0}
            found.sort(key=lambda item: ranks.get(item.workspace, 2))
        return found[0]

    async def versions(self, reference: str) -> AsyncIterator[models.VersionSummary]:
        """Yield its versions, newest first."""
        found = await self.get(reference)
        async for item in self._transport.pages(models.VersionSummary, f"/images/{found.id}/versions"):
            yield item

    async def version(self, reference: str) -> models.EnvironmentVersion:
        """Return one version with its lock; the newest unless the reference has a number."""
        return await self._transport.get(models.EnvironmentVersion, await self._version(reference))

    async def build(
        self,
        reference: str,
        *,
        requirements: str | Sequence[str] | None = None,
        pyproject: str | None = None,
        python: str | None = None,
    ) -> models.EnvironmentVersion:
        """Build a new version from requirements, making the environment itself when needed; return it, queued."""
        wanted = Reference.parse(reference)
        lines = requirements if requirements is None or isinstance(requirements, str) else [*requirements]
        body = given(requirements=lines, pyproject=pyproject, python=python)
        mine = [item async for item in self.list(name=wanted.name, workspace=wanted.workspace or await self._me())]
        if mine:
            return await self._transport.post(models.EnvironmentVersion, f"/images/{mine[0].id}/versions", body)
        body |= {"name": wanted.name} | given(workspace=wanted.workspace)
        made = await self._transport.post(models.Environment, "/images", body)
        return await self._transport.get(models.EnvironmentVersion, f"/images/{made.id}/versions/1")

    async def follow_log(self, reference: str, *, last_id: str | None = None) -> AsyncIterator[Event]:
        """Yield pieces of a version's build log to the end of the build."""
        path = await self._version(reference)
        async for event in self._transport.events(f"{path}/log/events", last_id=last_id):
            if event.event != "end":
                yield event

    async def difference(self, reference: str, packages: Sequence[str]) -> models.Difference:
        """Compare what `pip freeze` says with a version."""
        found, version = await self.get(reference), Reference.parse(reference).version
        body = {"packages": [*packages]} | given(version=version)
        return await self._transport.post(models.Difference, f"/images/{found.id}/diff", body)

    async def freeze(self, reference: str, packages: Sequence[str], **more: Any) -> models.EnvironmentVersion:
        """Keep what `pip freeze` says as a new version; `more` are `name`, `workspace`, `leave_out_refused`."""
        found, version = await self.get(reference), Reference.parse(reference).version
        body = {"packages": [*packages]} | given(version=version, **more)
        return await self._transport.post(models.EnvironmentVersion, f"/images/{found.id}/freeze", body)

    async def register(self, name: str, python: str, *, description: str = "") -> models.Environment:
        """Offer an existing Python as an environment (admins only)."""
        body = {"name": name, "python": python, "description": description}
        return await self._transport.post(models.Environment, "/images/interpreters", body)

    async def update(self, reference: str, *, revision: int | None = None, **changes: Any) -> models.Environment:
        """Change `description`, `visibility` or `shared_with`."""
        found = await self.get(reference)
        return await self._transport.change(
            models.Environment, "PATCH", f"/images/{found.id}", given(**changes), revision=revision
        )

    async def delete(self, reference: str) -> None:
        """Delete the version named, or without one the environment with all its versions."""
        found, number = await self.get(reference), Reference.parse(reference).version
        await self._transport.delete(f"/images/{found.id}" + (f"/versions/{number}" if number else ""))

    async def _me(self) -> str:
        return (await self._transport.get(models.Me, "/accounts/me")).name

    async def _version(self, reference: str) -> str:
        found, number = await self.get(reference), Reference.parse(reference).version
        if number is None and found.latest is None:
            raise PumpkinError(f"The environment '{found.name}' has no version yet.", reason="not_found", status=404)
        return f"/images/{found.id}/versions/{number or (found.latest.number if found.latest else 1)}"


class AsyncResources:
    """Specs, pools, nodes and limits."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def specs(
        self, *, kind: Literal["job", "notebook"] | None = None, everything: bool = False
    ) -> AsyncIterator[models.Spec]:
        """Yield the specs the caller may use (for admins: `everything`, disabled ones too)."""
        every = everything or None
        async for item in self._transport.pages(models.Spec, "/resources/specs", kind=kind, all=every):
            yield item

    async def pools(self) -> AsyncIterator[models.Pool]:
        """Yield the pools the caller may use."""
        async for item in self._transport.pages(models.Pool, "/resources/pools"):
            yield item

    async def nodes(self) -> AsyncIterator[models.Node]:
        """Yield the machines (admins only)."""
        async for item in self._transport.pages(models.Node, "/resources/nodes"):
            yield item

    async def limits(self) -> models.EffectiveLimits:
        """Return the limits that hold for the caller and each of their workspaces."""
        return await self._transport.get(models.EffectiveLimits, "/resources/limits/mine")

    async def limits_set(self, *, kind: Literal["user", "workspace"] | None = None) -> AsyncIterator[models.Limit]:
        """Yield the limits that are set (admins only)."""
        async for item in self._transport.pages(models.Limit, "/resources/limits", kind=kind):
            yield item

    async def usage(self) -> models.Usage:
        """Return who uses what right now (admins only)."""
        return await self._transport.get(models.Usage, "/resources/usage")


class AsyncAccounts:
    """The caller, users and workspaces."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def me(self) -> models.Me:
        """Return who the caller is, with scopes and workspaces."""
        return await self._transport.get(models.Me, "/accounts/me")

    async def users(self, *, q: str | None = None, frozen: bool | None = None) -> AsyncIterator[models.User]:
        """Yield users (admins only)."""
        async for item in self._transport.pages(models.User, "/accounts/users", q=q, frozen=frozen):
            yield item

    async def user(self, name: str) -> models.User:
        """Return one user (admins only)."""
        return await self._transport.get(models.User, f"/accounts/users/{_part(name)}")

    async def freeze(self, name: str, *, reason: str = "") -> models.User:
        """Shut a user out: their servers stop, their tokens end (admins only)."""
        return await self._transport.post(models.User, f"/accounts/users/{_part(name)}/freeze", {"reason": reason})

    async def thaw(self, name: str) -> models.User:
        """Let a frozen user in again (admins only)."""
        return await self._transport.post(models.User, f"/accounts/users/{_part(name)}/thaw")

    async def workspaces(self, *, everything: bool = False) -> AsyncIterator[models.Workspace]:
        """Yield the caller's workspaces (for admins: `everything`, everybody's)."""
        async for item in self._transport.pages(models.Workspace, "/accounts/workspaces", all=everything or None):
            yield item

    async def create_workspace(self, name: str, *, description: str = "") -> models.Workspace:
        """Make a workspace; the caller becomes its owner."""
        body = {"name": name, "description": description}
        return await self._transport.post(models.Workspace, "/accounts/workspaces", body)

    async def delete_workspace(self, name: str) -> None:
        """Delete a workspace that owns nothing any more."""
        await self._transport.delete(f"/accounts/workspaces/{_part(name)}")

    async def members(self, workspace: str) -> models.Members:
        """Return who belongs to a workspace."""
        return await self._transport.get(models.Members, f"/accounts/workspaces/{_part(workspace)}/members")

    async def add_member(self, workspace: str, user: str, *, role: Role = "member") -> None:
        """Add somebody to a workspace, or change their role there."""
        path = f"/accounts/workspaces/{_part(workspace)}/members/{_part(user)}"
        await self._transport.request("PUT", path, body={"role": role})

    async def remove_member(self, workspace: str, user: str) -> None:
        """Take somebody out of a workspace."""
        await self._transport.delete(f"/accounts/workspaces/{_part(workspace)}/members/{_part(user)}")

    async def audit(self, *, limit: int | None = None, **filters: Any) -> AsyncIterator[models.AuditLine]:
        """Yield audit lines, newest first (admins only); `filters` are `actor`, `object`, `owner`, `action`, …"""
        async for item in self._transport.pages(models.AuditLine, "/accounts/audit", limit=limit, **filters):
            yield item


class AsyncBilling:
    """Balances, the ledger and statements. Amounts are integers in millionths of the currency unit."""

    def __init__(self, transport: AsyncTransport) -> None:
        self._transport = transport

    async def balances(self, *, everything: bool = False) -> AsyncIterator[models.Balance]:
        """Yield the balances of the caller's workspaces (for admins: `everything`)."""
        async for item in self._transport.pages(models.Balance, "/billing/balances", all=everything or None):
            yield item

    async def balance(self, workspace: str) -> models.Balance:
        """Return a workspace's balance."""
        return await self._transport.get(models.Balance, f"/billing/balances/{_part(workspace)}")

    async def storage(self, *, everything: bool = False) -> AsyncIterator[models.Stored]:
        """Yield what the caller's workspaces keep in the store, the most first (for admins: `everything`)."""
        async for item in self._transport.pages(models.Stored, "/billing/storage", all=everything or None):
            yield item

    async def stored(self, workspace: str) -> models.StoredDetail:
        """Return what a workspace keeps in the store, and who sent it."""
        return await self._transport.get(models.StoredDetail, f"/billing/storage/{_part(workspace)}")

    async def statement(
        self, workspace: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> models.Statement:
        """Return a workspace's account of a period; of the present month (UTC) unless said."""
        query = {"start": start and start.isoformat(), "end": end and end.isoformat()}
        return await self._transport.get(models.Statement, "/billing/statement", workspace=workspace, **query)

    async def ledger(
        self, *, workspace: str | None = None, limit: int | None = None, **filters: Any
    ) -> AsyncIterator[models.LedgerLine]:
        """Yield ledger lines, newest first; `filters` are `kind`, `workload`, `start`, `end`."""
        query = {"workspace": workspace, **filters}
        async for item in self._transport.pages(models.LedgerLine, "/billing/ledger", limit=limit, **query):
            yield item

    async def recharge(
        self, workspace: str, amount_micro: int, *, reference: str | None = None, note: str = ""
    ) -> models.LedgerLine:
        """Add money to a workspace (admins only); the same `reference` is booked only once."""
        body = {"workspace": workspace, "amount_micro": amount_micro, "note": note} | given(reference=reference)
        return await self._transport.post(models.LedgerLine, "/billing/recharges", body)


def _part(text: str) -> str:
    return quote(text, safe="")
