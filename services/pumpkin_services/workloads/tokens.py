"""A workload's own identity: a token good for its own inputs, outputs and metrics, for as long as it has not ended.

The token is a keyed hash of id and attempt, so nothing secret is kept and a start repeated after a crash hands out the
same one.
"""

from __future__ import annotations

import hashlib
import hmac

from sqlalchemy.ext.asyncio import AsyncSession

from pumpkin_services.db import Database
from pumpkin_services.principal import PREFIX, Principal
from pumpkin_services.workloads.models import ENDED
from pumpkin_services.workloads.tables import WorkloadRow

TOKEN_PREFIX = "pumpkin-w."
SCOPES = frozenset(
    PREFIX + scope for scope in ("workloads:read", "workloads:write", "datasets:read", "algorithms:read", "models:read")
)


class Tokens:
    """Makes and checks workload tokens with `key`."""

    def __init__(self, database: Database, *, key: bytes) -> None:
        self._database = database
        self._key = key

    def token(self, workload: str, attempt: int) -> str:
        """Return the token of one attempt."""
        return f"{TOKEN_PREFIX}{workload}.{attempt}.{self._secret(workload, attempt)}"

    async def principal_for(self, token: str) -> Principal | None:
        """Return the workload a token speaks for, None when it is not valid (any more)."""
        workload, _, rest = token.removeprefix(TOKEN_PREFIX).partition(".")
        number, _, secret = rest.partition(".")
        if not (number.isascii() and number.isdigit() and len(number) < 6):
            return None
        attempt = int(number)
        if not hmac.compare_digest(secret.encode(), self._secret(workload, attempt).encode()):
            return None
        async with self._database.read() as session:
            row = await session.get(WorkloadRow, workload)
        if row is None or row.phase in ENDED or row.attempt != attempt:
            return None
        return Principal(
            name=row.creator,
            kind="workload",
            token=hashlib.sha256(token.encode()).hexdigest()[:32],
            scopes=SCOPES,
            workspaces={row.workspace: "viewer"},
            workload=workload,
            attempt=attempt,
        )

    async def inputs(self, session: AsyncSession, workload: str) -> set[str]:
        """Return the ids of the versions a workload may read."""
        row = await session.get(WorkloadRow, workload)
        return {item["version"] for item in row.plan.get("inputs", [])} if row is not None else set()

    def _secret(self, workload: str, attempt: int) -> str:
        return hmac.new(self._key, f"{workload}.{attempt}".encode(), hashlib.sha256).hexdigest()[:43]
