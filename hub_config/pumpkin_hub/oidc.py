"""Log-in at an OpenID Connect provider, and its groups as Hub groups."""

from __future__ import annotations

import re
from typing import Any, cast

from jupyterhub import orm
from oauthenticator.generic import GenericOAuthenticator
from traitlets import Unicode

from pumpkin_hub.admission import FROZEN, USERNAME, Admission

FROM_PROVIDER = {"source": "oidc"}
"""Property of the groups that follow the provider's claim; the others are the platform's own workspaces."""


class Oidc(Admission, GenericOAuthenticator):
    """Log-in at an OpenID Connect provider, with groups and admins by claim when so configured."""

    groups_claim = Unicode(help="Claim that lists the user's groups; empty for none.").tag(config=True)
    admin_group = Unicode(help="Members of this group are admins.").tag(config=True)

    async def run_post_auth_hook(self, handler: Any, auth_model: Any) -> Any:
        """Follow the provider's groups, then do what the Hub does."""
        if self.groups_claim and auth_model:
            claims: dict[str, Any] = auth_model["auth_state"][self.user_auth_state_key]
            claimed: list[Any] = claims.get(self.groups_claim) or []
            names = {str(name) for name in claimed}
            if self.admin_group:
                auth_model["admin"] = auth_model["name"] in self.admin_users or self.admin_group in names
            follow_groups(self.parent.db, handler.user_from_username(auth_model["name"]).orm_user, names)
        return await cast(Any, super()).run_post_auth_hook(handler, auth_model)


def follow_groups(db: Any, user: Any, names: set[str]) -> None:
    """Make `user` a member of the groups `names`, and of no other group that came from the provider.

    Groups made in the platform are left alone; a claimed name that one of them has is not followed, else whoever
    names groups at the provider could walk into a workspace here.
    """
    for name in sorted(names):
        group: Any = cast(Any, orm.Group).find(db, name)
        if group is None and re.match(USERNAME, name) and name != FROZEN:
            group = orm.Group(name=name, properties=FROM_PROVIDER)
            db.add(group)
        if group is not None and group.properties == FROM_PROVIDER and group not in user.groups:
            user.groups.append(group)
    for group in list(user.groups):
        if group.properties == FROM_PROVIDER and group.name not in names:
            user.groups.remove(group)
    db.commit()
