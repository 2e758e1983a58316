"""Who is asking: a person, a Hub service or a workload, with the scopes and workspaces that come with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pumpkin_services.problems import Forbidden

WorkspaceRole = Literal["owner", "member", "viewer"]
PREFIX = "custom:pumpkin:"


@dataclass(frozen=True, kw_only=True)
class Principal:
    """The caller of one request.

    `scopes` are the Hub's, expanded (`custom:pumpkin:datasets:read`, …). `workspaces` maps each
    workspace the caller belongs to, the personal one (named like the user) included, to the role
    there. A workload's principal carries its id and acts in the name of its owner, for its own
    inputs, outputs and metrics only.
    """

    name: str
    kind: Literal["user", "service", "workload"] = "user"
    token: str = ""
    """A stable, non-secret key of the credential used: for rate limits, idempotency and audit."""
    token_id: str = ""
    """The Hub's own id of that credential, "" for a workload's."""
    session: bool = False
    """Whether a person is there: the credential is a browser's cookie, not a token somebody handed on."""
    scopes: frozenset[str] = frozenset()
    workspaces: dict[str, WorkspaceRole] = field(default_factory=dict[str, WorkspaceRole])
    roles: frozenset[str] = frozenset()
    """The names of the caller's Hub roles: pools may be open to a role."""
    workload: str | None = None
    attempt: int | None = None
    """Of a workload: which of its attempts this is."""

    def has(self, scope: str) -> bool:
        """Tell whether `module:verb` is held, unfiltered or for the caller's own user."""
        return self.held(scope) is not None

    def held(self, scope: str) -> str | None:
        """Return `module:verb` as the Hub writes what the caller holds of it, None for nothing."""
        full = PREFIX + scope
        return next((form for form in (full, f"{full}!user={self.name}") if form in self.scopes), None)

    def admin(self, module: str) -> bool:
        """Tell whether the caller administers `module`."""
        return self.has(f"{module}:admin")

    def may_write(self, workspace: str) -> bool:
        """Tell whether the caller may create and change things in `workspace`."""
        return self.workspaces.get(workspace) in ("owner", "member")

    def require_write(self, workspace: str) -> None:
        """Raise `Forbidden`, naming the way out, unless the caller may write in `workspace`."""
        if workspace not in self.workspaces:
            raise Forbidden(
                f"You do not belong to the workspace '{workspace}': ask one of its owners to add you.",
                field="workspace",
            )
        if not self.may_write(workspace):
            raise Forbidden(
                f"You are a viewer in the workspace '{workspace}': ask one of its owners to make you a member.",
                field="workspace",
            )
