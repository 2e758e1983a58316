"""What users, workspaces and audit lines look like on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from pumpkin_services.names import Name
from pumpkin_services.principal import WorkspaceRole
from pumpkin_services.web import CursorQuery, Moment, PageQuery, Wire


class Membership(Wire):
    """A workspace of the caller and the role there."""

    workspace: str
    role: WorkspaceRole
    personal: bool


class Me(Wire):
    """The caller: who they are, what they may do, where they belong."""

    name: str
    kind: Literal["user", "service", "workload"]
    display_name: str
    admin: bool
    """Whether they administer accounts."""
    scopes: list[str]
    roles: list[str]
    workspaces: list[Membership]
    revision: int


class ProfilePatch(Wire):
    """Change your own profile."""

    display_name: str = Field(max_length=100)


class User(Wire):
    """A user as admins see them."""

    id: str
    name: str
    display_name: str
    admin: bool
    roles: list[str]
    frozen: bool
    frozen_reason: str
    frozen_by: str
    synced: bool
    """Whether the Hub knows: a frozen user's servers and tokens are then gone from it, and it lets them in no more."""
    created: datetime
    last_seen: datetime | None
    """Null for somebody an admin made who has yet to come."""
    revision: int


class UserQuery(PageQuery):
    """Filters of the user list; `q` looks into names and display names."""

    frozen: bool | None = None
    admin: bool | None = None


class UserCreate(Wire):
    """A new user. Whether they get a password here or log in at an identity provider is the Hub's matter."""

    name: Name
    admin: bool = False


class UserCreated(Wire):
    """A user just made, and what to hand them."""

    user: User
    one_time_password: str | None
    """Good for choosing a password at the log-in page; shown only now. Null where an identity provider logs in."""


class OneTimePassword(Wire):
    """Good for choosing a new password at the log-in page, once; shown only now."""

    one_time_password: str


class UserPatch(Wire):
    """Change what a user is to the Hub."""

    admin: bool


class Freeze(Wire):
    """Why somebody is shut out; they are shown it."""

    reason: str = Field(default="", max_length=255)


class Workspace(Wire):
    """A workspace; `role` is the caller's there, null for an admin who looks in from outside."""

    id: str
    name: str
    description: str
    creator: str
    personal: bool
    role: WorkspaceRole | None
    members: int
    created: datetime
    revision: int


class WorkspaceQuery(PageQuery):
    """Filters of the workspace list."""

    all: bool = Field(default=False, description="Everybody's (admins only); else the caller's own.")


class WorkspaceCreate(Wire):
    """A new workspace; the caller becomes its owner."""

    name: Name
    description: str = Field(default="", max_length=2000)


class WorkspacePatch(Wire):
    """Change a workspace."""

    description: str = Field(max_length=2000)


class Member(Wire):
    """Who belongs to a workspace."""

    user: str
    display_name: str
    role: WorkspaceRole
    added: datetime
    added_by: str


class Members(Wire):
    """All members of one workspace; `revision` is the workspace's."""

    items: list[Member]
    revision: int


class MemberPut(Wire):
    """Add somebody, or change their role."""

    role: WorkspaceRole = "member"


class AuditLine(Wire):
    """One change, or one admin's read of somebody else's data."""

    id: str
    time: datetime
    actor: str
    kind: str
    action: str
    object: str
    owner: str
    status: int
    address: str
    detail: dict[str, Any]


class AuditFilter(Wire):
    """Which lines of the audit log."""

    q: str | None = Field(default=None, max_length=200, description="Text anywhere in the line.")
    changes: bool = Field(default=False, description="Changes only, no looks.")
    actor: str | None = Field(default=None, max_length=255)
    object: str | None = Field(default=None, max_length=255)
    owner: str | None = Field(default=None, max_length=255)
    action: str | None = Field(default=None, max_length=255, description="Beginning of method and path: `POST /jobs`.")
    start: Moment | None = Field(default=None, description="From this time on (ISO 8601 with a zone).")
    end: Moment | None = Field(default=None, description="Before this time.")


class AuditQuery(AuditFilter, CursorQuery):
    """Filters of the audit list."""
