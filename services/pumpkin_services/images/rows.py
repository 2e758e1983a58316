"""Finding and making rows: who may use what, what a reference means, which version is newest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, bindparam, func, or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import new_id, utcnow
from pumpkin_services.images import models as wire
from pumpkin_services.images.tables import EnvironmentRow, EnvironmentShareRow, EnvironmentVersionRow
from pumpkin_services.images.views import protected
from pumpkin_services.names import Reference
from pumpkin_services.principal import Principal
from pumpkin_services.problems import Conflict, Forbidden, Invalid, NotFound

MAX_WAITING = 20
"""Versions one person may have waiting for a builder: nobody's queue keeps the others out."""


def usable(principal: Principal) -> ColumnElement[bool]:
    """Return the condition on `EnvironmentRow` for what the caller may use."""
    return _usable(list(principal.workspaces))


def _usable(mine: Any) -> ColumnElement[bool]:
    shared = select(EnvironmentShareRow.environment).where(EnvironmentShareRow.workspace.in_(mine))
    return or_(
        EnvironmentRow.workspace.in_(mine),
        and_(
            EnvironmentRow.taken_down.is_(None),
            or_(
                EnvironmentRow.visibility == "everyone",
                EnvironmentRow.preset.is_(True),
                EnvironmentRow.id.in_(shared),
            ),
        ),
    )


# Every submit looks for an environment, so these are made once.
_CALLED = (
    select(EnvironmentRow)
    .where(EnvironmentRow.name == bindparam("called"))
    .order_by(EnvironmentRow.workspace)
    .limit(100)
)
_CALLED_OF = _CALLED.where(EnvironmentRow.workspace == bindparam("of"))
_USABLE = _usable(bindparam("mine", expanding=True))
NAMED = {
    (False, False): _CALLED,
    (False, True): _CALLED.where(_USABLE),
    (True, False): _CALLED_OF,
    (True, True): _CALLED_OF.where(_USABLE),
}
"""Environments by name: (of one workspace, only what the caller may use)."""
NEWEST = (
    select(EnvironmentVersionRow)
    .where(
        EnvironmentVersionRow.environment == bindparam("of"),
        EnvironmentVersionRow.state.in_(bindparam("states", expanding=True)),
    )
    .order_by(EnvironmentVersionRow.number.desc())
    .limit(1)
)


async def visible(
    session: AsyncSession, principal: Principal, environment: str, *, lock: bool = False
) -> EnvironmentRow:
    """Return the environment with this id if the caller may use or administer it; raise `NotFound` otherwise."""
    allowed = EnvironmentRow.id == environment
    if not principal.admin("images"):
        allowed &= usable(principal)
    query = select(EnvironmentRow).where(allowed)
    row = await session.scalar(query.with_for_update() if lock else query)
    if row is None:
        raise NotFound("There is no such environment, or it is not shared with you: list them with GET /images.")
    return row


async def writable(session: AsyncSession, principal: Principal, environment: str) -> EnvironmentRow:
    """Return the environment with this id if the caller may change it; raise `NotFound` or `Forbidden` otherwise."""
    # Locked, so that two callers never make the same version number.
    row = await visible(session, principal, environment, lock=True)
    if principal.admin("images"):
        return row
    if protected(row):
        raise Forbidden(
            f"'{row.name}' is one of the platform's own environments, only image admins change it: "
            "freeze it under a name of your own, or create another."
        )
    principal.require_write(row.workspace)
    return row


async def find(session: AsyncSession, principal: Principal, wanted: Reference, *, field: str) -> EnvironmentRow:
    """Return the environment a reference names to the caller.

    A bare name means the caller's own workspace first, then the caller's others, then what is shared.
    Raises `NotFound`, or `Invalid` listing the candidates when several fit equally.
    """
    given = wanted.workspace is not None
    query = NAMED[given, not (given and principal.admin("images"))]
    values = {"called": wanted.name, "of": wanted.workspace, "mine": list(principal.workspaces)}
    found = (await session.scalars(query, values)).all()
    for group in (
        [row for row in found if row.workspace == principal.name],
        [row for row in found if row.workspace in principal.workspaces],
        found,
    ):
        if len(group) > 1:
            names = ", ".join(f"{row.workspace}/{row.name}" for row in group[:10])
            raise Invalid(f"'{wanted.name}' could be any of {names}: write one of these.", field=field)
        if group:
            return group[0]
    raise NotFound(f"There is no environment '{wanted}' that you may use: list them with GET /images.", field=field)


async def named(session: AsyncSession, workspace: str, name: str) -> EnvironmentRow | None:
    """Return a workspace's environment of this name."""
    return await session.scalar(
        select(EnvironmentRow).where(EnvironmentRow.workspace == workspace, EnvironmentRow.name == name)
    )


async def numbered(
    session: AsyncSession, row: EnvironmentRow, number: int, *, field: str = "version"
) -> EnvironmentVersionRow:
    """Return one version; raise `NotFound` naming those there are."""
    version = await session.scalar(
        select(EnvironmentVersionRow).where(
            EnvironmentVersionRow.environment == row.id, EnvironmentVersionRow.number == number
        )
    )
    if version is None:
        raise NotFound(f"'{row.name}' has no version {number}: its versions are 1 to {row.latest}.", field=field)
    return version


async def newest(
    session: AsyncSession, row: EnvironmentRow, *, states: Sequence[wire.State]
) -> EnvironmentVersionRow | None:
    """Return the newest version in one of `states`."""
    return await session.scalar(NEWEST, {"of": row.id, "states": list(states)})


async def add_environment(
    session: AsyncSession, *, workspace: str, name: str, creator: str, kind: wire.Kind
) -> EnvironmentRow:
    """Make an environment without versions, private to its workspace; raise `Conflict` when the name is taken."""
    taken = Conflict(
        f"'{workspace}' already has an environment '{name}': add a version to it or choose another name.",
        field="name",
    )
    if await named(session, workspace, name) is not None:
        raise taken
    now = utcnow()
    row = EnvironmentRow(
        id=new_id(), workspace=workspace, name=name, creator=creator, description="", visibility="private",
        preset=False, kind=kind, latest=0, revision=1, created=now, updated=now,
    )  # fmt: skip
    session.add(row)
    try:
        await session.flush()
    except IntegrityError as error:
        raise taken from error
    return row


async def require_turn(session: AsyncSession, principal: Principal) -> None:
    """Raise `Conflict` when the caller already has as many versions waiting to be built as one person may."""
    waiting = await session.scalar(
        select(func.count())
        .select_from(EnvironmentVersionRow)
        .where(EnvironmentVersionRow.state.in_(("queued", "building")), EnvironmentVersionRow.creator == principal.name)
    )
    if (waiting or 0) >= MAX_WAITING:
        raise Conflict(
            f"{waiting} of your versions wait to be built: wait for one, or delete one.", reason="too_many_builds"
        )


def add_version(
    session: AsyncSession, row: EnvironmentRow, *, creator: str, requirements: Sequence[str], python: str = ""
) -> EnvironmentVersionRow:
    """Make the next version, queued; `python` is the version asked for, empty for the platform's own."""
    row.latest += 1
    version = EnvironmentVersionRow(
        id=new_id(), environment=row.id, number=row.latest, creator=creator, state="queued",
        requirements=list(requirements), python_request=python, lock="", packages={}, digest="", python_version="",
        python="", prefix="", bytes=0, reason="", message="", created=utcnow(),
    )  # fmt: skip
    session.add(version)
    return version


def mark_deleted(version: EnvironmentVersionRow) -> None:
    """Delete a version: its row stays for the lineage of past workloads, the builder removes the rest."""
    if version.state in ("queued", "building"):
        version.reason, version.message = "cancelled", "It was deleted before it was built."
    version.state, version.finished = "deleted", utcnow()
    version.owner = version.expires = None
