"""The difference of two manifests: one walk through both, for both are sorted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from pumpkin_services.artifacts.manifest import Entry
from pumpkin_services.artifacts.models import Change, Diff
from pumpkin_services.web.paging import encode_cursor


def differences(old: Iterator[Entry], new: Iterator[Entry], *, after: str, limit: int) -> Diff:
    """Return up to `limit` changes behind the path `after`, and the totals over all. Blocks."""
    totals: Counter[str] = Counter()
    items: list[Change] = []
    following: str | None = None
    for change in changes(old, new):
        totals[change.change] += 1
        totals["added_bytes"] += change.new_bytes or 0
        totals["removed_bytes"] += change.old_bytes or 0
        if change.path > after:
            if len(items) < limit:
                items.append(change)
            elif following is None:
                following = encode_cursor(items[-1].path)
    return Diff(
        added=totals["added"],
        removed=totals["removed"],
        changed=totals["changed"],
        added_bytes=totals["added_bytes"],
        removed_bytes=totals["removed_bytes"],
        items=items,
        next=following,
    )


def changes(old: Iterator[Entry], new: Iterator[Entry]) -> Iterator[Change]:
    """Iterate over what differs, in order of path."""
    before, after = next(old, None), next(new, None)
    while before is not None or after is not None:
        if after is None or (before is not None and before.path < after.path):
            assert before is not None
            yield Change(path=before.path, change="removed", old_bytes=before.size, new_bytes=None)
            before = next(old, None)
        elif before is None or after.path < before.path:
            yield Change(path=after.path, change="added", old_bytes=None, new_bytes=after.size)
            after = next(new, None)
        else:
            if (before.sha256, before.mode) != (after.sha256, after.mode):
                yield Change(path=after.path, change="changed", old_bytes=before.size, new_bytes=after.size)
            before, after = next(old, None), next(new, None)
