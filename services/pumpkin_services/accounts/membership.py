"""Pure rules of belonging: what a user's workspaces are, given our rows and the groups the Hub names."""

from __future__ import annotations

from collections.abc import Mapping, Set
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from pumpkin_services.names import NAME
from pumpkin_services.principal import WorkspaceRole

HUB_STALE = timedelta(seconds=30)
"""For so long after we changed a group, what the Hub's (cached) user model says of it may be old."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What our rows say of one workspace and one user; `role` None: no member."""

    role: WorkspaceRole | None
    deleted: bool
    synced: datetime | None

    def hub_is_right(self, now: datetime) -> bool:
        """Tell whether the Hub's word on this group is newer than our last change of it."""
        return self.synced is not None and now - self.synced > HUB_STALE


@dataclass(frozen=True, kw_only=True)
class Belonging:
    """A user's workspaces, and what our rows must learn from the Hub."""

    workspaces: dict[str, WorkspaceRole]
    adopt: list[str] = field(default_factory=list[str])
    """Groups the Hub put the user in by itself: they become a member."""
    drop: list[str] = field(default_factory=list[str])
    """Workspaces whose group the Hub took them out of by itself."""


def belonging(user: str, *, groups: Set[str], known: Mapping[str, Known], taken: Set[str], now: datetime) -> Belonging:
    """Return where `user` belongs.

    `groups` are the Hub's, `known` our rows by workspace, `taken` the names among `groups` that are users' names (a
    group of such a name is no workspace). Both sides must agree, except while the Hub has yet to follow our rows.
    """
    workspaces: dict[str, WorkspaceRole] = {user: "owner"}
    adopt: list[str] = []
    drop: list[str] = []
    for name, row in known.items():
        if row.role is None or row.deleted:
            continue
        if name in groups or not row.hub_is_right(now):
            workspaces[name] = row.role
        else:
            drop.append(name)
    for name in sorted(groups - set(workspaces)):
        row = known.get(name)
        if name in taken or not NAME.fullmatch(name):
            continue
        if row is None or row.hub_is_right(now):
            workspaces[name] = "member"
            adopt.append(name)
    return Belonging(workspaces=workspaces, adopt=adopt, drop=drop)
