# Made from pumpkin/_async/platform.py by `make models`; change that file, not this one.
"""Environments, resources, accounts and money."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote

from pumpkin import _models as models
from pumpkin._protocol import Event, Reference, given
from pumpkin._sync.transport import Transport
from pumpkin.errors import PumpkinError

Role = Literal["owner", "member", "viewer"]


class Environments:
    """Named sets of locked Python requirements. A `reference` is `name`, `name@3` or `workspace/name@3`."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, *, q: str | None = None, limit: int | None = None, **filters: Any) -> Iterator[models.Environment]:
        """Yield the environments the caller may use; `filters` are `workspace`, `name`, `kind`, `preset`."""
        yield from self._transport.pages(models.Environment, "/images", limit=limit, q=q, **filters)

    def get(self, reference: str) -> models.Environment:
        """Return one by name."""
        wanted = Reference.parse(reference)
        found = list(self.list(name=wanted.name, workspace=wanted.workspace))
        if not found:
            raise PumpkinError(
                f"There is no environment '{wanted.name}' that you may use.",
                field="environment",
                reason="not_found",
                status=404,
            )
        if len(found) > 1:
            me = self._transport.get(models.Me, "/accounts/me")
            ranks = {item.workspace: 1 for item in me.workspaces} | {me.name: 0}
            found.sort(key=lambda item: ranks.get(item.workspace, 2))
        return found[0]

    def versions(self, reference: str) -> Iterator[models.VersionSummary]:
        """Yield its versions, newest first."""
        found = self.get(reference)
        yield from self._transport.pages(models.VersionSummary, f"/images/{found.id}/versions")

    def version(self, reference: str) -> models.EnvironmentVersion:
        """Return one version with its lock; the newest unless the reference has a number."""
        return self._transport.get(models.EnvironmentVersion, self._version(reference))

    def build(
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
        mine = list(self.list(name=wanted.name, workspace=wanted.workspace or self._me()))
        if mine:
            return self._transport.post(models.EnvironmentVersion, f"/images/{mine[0].id}/versions", body)
        body |= {"name": wanted.name} | given(workspace=wanted.workspace)
        made = self._transport.post(models.Environment, "/images", body)
        return self._transport.get(models.EnvironmentVersion, f"/images/{made.id}/versions/1")

    def follow_log(self, reference: str, *, last_id: str | None = None) -> Iterator[Event]:
        """Yield pieces of a version's build log to the end of the build."""
        path = self._version(reference)
        for event in self._transport.events(f"{path}/log/events", last_id=last_id):
            if event.event != "end":
                yield event

    def difference(self, reference: str, packages: Sequence[str]) -> models.Difference:
        """Compare what `pip freeze` says with a version."""
        found, version = self.get(reference), Reference.parse(reference).version
        body = {"packages": [*packages]} | given(version=version)
        return self._transport.post(models.Difference, f"/images/{found.id}/diff", body)

    def freeze(self, reference: str, packages: Sequence[str], **more: Any) -> models.EnvironmentVersion:
        """Keep what `pip freeze` says as a new version; `more` are `name`, `workspace`, `leave_out_refused`."""
        found, version = self.get(reference), Reference.parse(reference).version
        body = {"packages": [*packages]} | given(version=version, **more)
        return self._transport.post(models.EnvironmentVersion, f"/images/{found.id}/freeze", body)

    def register(self, name: str, python: str, *, description: str = "") -> models.Environment:
        """Offer an existing Python as an environment (admins only)."""
        body = {"name": name, "python": python, "description": description}
        return self._transport.post(models.Environment, "/images/interpreters", body)

    def update(self, reference: str, *, revision: int | None = None, **changes: Any) -> models.Environment:
        """Change `description`, `visibility` or `shared_with`."""
        found = self.get(reference)
        return self._transport.change(
            models.Environment, "PATCH", f"/images/{found.id}", given(**changes), revision=revision
        )

    def delete(self, reference: str) -> None:
        """Delete the version named, or without one the environment with all its versions."""
        found, number = self.get(reference), Reference.parse(reference).version
        self._transport.delete(f"/images/{found.id}" + (f"/versions/{number}" if number else ""))

    def _me(self) -> str:
        return (self._transport.get(models.Me, "/accounts/me")).name

    def _version(self, reference: str) -> str:
        found, number = self.get(reference), Reference.parse(reference).version
        if number is None and found.latest is None:
            raise PumpkinError(f"The environment '{found.name}' has no version yet.", reason="not_found", status=404)
        return f"/images/{found.id}/versions/{number or (found.latest.number if found.latest else 1)}"


class Resources:
    """Specs, pools, nodes and limits."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def specs(
        self, *, kind: Literal["job", "notebook"] | None = None, everything: bool = False
    ) -> Iterator[models.Spec]:
        """Yield the specs the caller may use (for admins: `everything`, disabled ones too)."""
        every = everything or None
        yield from self._transport.pages(models.Spec, "/resources/specs", kind=kind, all=every)

    def pools(self) -> Iterator[models.Pool]:
        """Yield the pools the caller may use."""
        yield from self._transport.pages(models.Pool, "/resources/pools")

    def nodes(self) -> Iterator[models.Node]:
        """Yield the machines (admins only)."""
        yield from self._transport.pages(models.Node, "/resources/nodes")

    def limits(self) -> models.EffectiveLimits:
        """Return the limits that hold for the caller and each of their workspaces."""
        return self._transport.get(models.EffectiveLimits, "/resources/limits/mine")

    def limits_set(self, *, kind: Literal["user", "workspace"] | None = None) -> Iterator[models.Limit]:
        """Yield the limits that are set (admins only)."""
        yield from self._transport.pages(models.Limit, "/resources/limits", kind=kind)

    def usage(self) -> models.Usage:
        """Return who uses what right now (admins only)."""
        return self._transport.get(models.Usage, "/resources/usage")


class Accounts:
    """The caller, users and workspaces."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def me(self) -> models.Me:
        """Return who the caller is, with scopes and workspaces."""
        return self._transport.get(models.Me, "/accounts/me")

    def users(self, *, q: str | None = None, frozen: bool | None = None) -> Iterator[models.User]:
        """Yield users (admins only)."""
        yield from self._transport.pages(models.User, "/accounts/users", q=q, frozen=frozen)

    def user(self, name: str) -> models.User:
        """Return one user (admins only)."""
        return self._transport.get(models.User, f"/accounts/users/{_part(name)}")

    def freeze(self, name: str, *, reason: str = "") -> models.User:
        """Shut a user out: their servers stop, their tokens end (admins only)."""
        return self._transport.post(models.User, f"/accounts/users/{_part(name)}/freeze", {"reason": reason})

    def thaw(self, name: str) -> models.User:
        """Let a frozen user in again (admins only)."""
        return self._transport.post(models.User, f"/accounts/users/{_part(name)}/thaw")

    def workspaces(self, *, everything: bool = False) -> Iterator[models.Workspace]:
        """Yield the caller's workspaces (for admins: `everything`, everybody's)."""
        yield from self._transport.pages(models.Workspace, "/accounts/workspaces", all=everything or None)

    def create_workspace(self, name: str, *, description: str = "") -> models.Workspace:
        """Make a workspace; the caller becomes its owner."""
        body = {"name": name, "description": description}
        return self._transport.post(models.Workspace, "/accounts/workspaces", body)

    def delete_workspace(self, name: str) -> None:
        """Delete a workspace that owns nothing any more."""
        self._transport.delete(f"/accounts/workspaces/{_part(name)}")

    def members(self, workspace: str) -> models.Members:
        """Return who belongs to a workspace."""
        return self._transport.get(models.Members, f"/accounts/workspaces/{_part(workspace)}/members")

    def add_member(self, workspace: str, user: str, *, role: Role = "member") -> None:
        """Add somebody to a workspace, or change their role there."""
        path = f"/accounts/workspaces/{_part(workspace)}/members/{_part(user)}"
        self._transport.request("PUT", path, body={"role": role})

    def remove_member(self, workspace: str, user: str) -> None:
        """Take somebody out of a workspace."""
        self._transport.delete(f"/accounts/workspaces/{_part(workspace)}/members/{_part(user)}")

    def audit(self, *, limit: int | None = None, **filters: Any) -> Iterator[models.AuditLine]:
        """Yield audit lines, newest first (admins only); `filters` are `actor`, `object`, `owner`, `action`, …"""
        yield from self._transport.pages(models.AuditLine, "/accounts/audit", limit=limit, **filters)


class Billing:
    """Balances, the ledger and statements. Amounts are integers in millionths of the currency unit."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def balances(self, *, everything: bool = False) -> Iterator[models.Balance]:
        """Yield the balances of the caller's workspaces (for admins: `everything`)."""
        yield from self._transport.pages(models.Balance, "/billing/balances", all=everything or None)

    def balance(self, workspace: str) -> models.Balance:
        """Return a workspace's balance."""
        return self._transport.get(models.Balance, f"/billing/balances/{_part(workspace)}")

    def storage(self, *, everything: bool = False) -> Iterator[models.Stored]:
        """Yield what the caller's workspaces keep in the store, the most first (for admins: `everything`)."""
        yield from self._transport.pages(models.Stored, "/billing/storage", all=everything or None)

    def stored(self, workspace: str) -> models.StoredDetail:
        """Return what a workspace keeps in the store, and who sent it."""
        return self._transport.get(models.StoredDetail, f"/billing/storage/{_part(workspace)}")

    def statement(
        self, workspace: str, *, start: datetime | None = None, end: datetime | None = None
    ) -> models.Statement:
        """Return a workspace's account of a period; of the present month (UTC) unless said."""
        query = {"start": start and start.isoformat(), "end": end and end.isoformat()}
        return self._transport.get(models.Statement, "/billing/statement", workspace=workspace, **query)

    def ledger(
        self, *, workspace: str | None = None, limit: int | None = None, **filters: Any
    ) -> Iterator[models.LedgerLine]:
        """Yield ledger lines, newest first; `filters` are `kind`, `workload`, `start`, `end`."""
        query = {"workspace": workspace, **filters}
        yield from self._transport.pages(models.LedgerLine, "/billing/ledger", limit=limit, **query)

    def recharge(
        self, workspace: str, amount_micro: int, *, reference: str | None = None, note: str = ""
    ) -> models.LedgerLine:
        """Add money to a workspace (admins only); the same `reference` is booked only once."""
        body = {"workspace": workspace, "amount_micro": amount_micro, "note": note} | given(reference=reference)
        return self._transport.post(models.LedgerLine, "/billing/recharges", body)


def _part(text: str) -> str:
    return quote(text, safe="")
