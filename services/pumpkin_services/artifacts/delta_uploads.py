"""The step of an upload by which a manifest is sent as the difference from another version's."""

from __future__ import annotations

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

from sqlalchemy import select

from pumpkin_services.artifacts import models as wire
from pumpkin_services.artifacts.access import Owned
from pumpkin_services.artifacts.blocks import lines
from pumpkin_services.artifacts.chunks import new_object, refer
from pumpkin_services.artifacts.core import Core, draft
from pumpkin_services.artifacts.deltas import merge
from pumpkin_services.artifacts.manifest import Order, Summary, path_of, read_delta, shown
from pumpkin_services.artifacts.tables import VersionObjectRow, VersionRow
from pumpkin_services.artifacts.uploads import take_manifest
from pumpkin_services.problems import Conflict, Invalid


class Deltas:
    """Takes manifests sent as differences."""

    def __init__(self, core: Core) -> None:
        self.core = core

    async def put(self, upload_id: str, *, owned: Owned, base: int, stream: AsyncIterator[bytes]) -> wire.Upload:
        """Take what differs from version `base` of the same thing; hold for this upload all that version holds.

        Raises:
            Conflict: if there is no such version (any more).
        """
        async with self.core.database.write() as session:
            row = await draft(session, upload_id, owned)
            query = select(VersionRow).where(VersionRow.asset_id == owned.asset_id, VersionRow.number == base)
            old = await session.scalar(query.where(VersionRow.state == "ready").with_for_update())
            if old is None:
                raise Conflict(
                    f"'{owned.name}' has no version {base} to differ from: send the whole manifest.",
                    field="base",
                    reason="base_missing",
                )
            held = select(VersionObjectRow.object_id).where(VersionObjectRow.version_id == old.id)
            await refer(session, row.id, set(await session.scalars(held)))
            made = await new_object(session, row, kind="manifests", size=0)
        return await take_manifest(
            self.core, upload_id, owned=owned, made=made, stream=stream, keep=partial(self._keep, old),
            instead_of=old.manifest_id,
        )  # fmt: skip

    def _keep(self, old: VersionRow, sent: Path, key: str) -> tuple[Summary, int]:
        total = Summary(hash=old.manifest_hash or "", files=old.files, bytes=old.bytes)
        base = self.core.store.stream(f"manifests/{old.manifest_id}")
        with sent.open("rb") as file, self.core.store.create(key) as sink:
            pieces = iter(lambda: file.read(1 << 16), b"")
            summary, new_paths = merge(base, read_delta(pieces), sink, total=total)
        if new_paths:
            # A file may have come to lie where a folder is, or the other way round.
            order = Order()
            for line in lines(self.core.store.stream(key)):
                if fault := order.fault(path_of(line)):
                    raise Invalid(f"'{shown(path_of(line))}' {fault}.", field="manifest")
        stored = self.core.store.stat(key)
        assert stored is not None
        return summary, stored.size
