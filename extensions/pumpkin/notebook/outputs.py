"""Outputs of cells as the platform takes them: clean JSON of a bounded size. Pure."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any, cast

MOST = 8 << 20
"""Bytes of JSON the platform takes of one cell."""
NOTE = {
    "output_type": "stream",
    "name": "stderr",
    "text": "Outputs beyond 8 MiB are left out here; what was printed is whole in the job's log.\n",
}


def dump(outputs: Sequence[Mapping[str, Any]]) -> str:
    """Return outputs as JSON that fits; of those that are too large, the first ones, a note, and what was raised."""
    text = _json(outputs)
    if len(text.encode()) <= MOST:
        return text
    # A traceback that is as large as that is left out, too.
    raised = [_brief(item) for item in outputs if item.get("output_type") == "error"][-1:]
    room = MOST - len(_json([NOTE, *raised]).encode()) - 16
    kept: list[Mapping[str, Any]] = []
    for item in outputs:
        if item.get("output_type") == "error":
            continue
        size = len(_json(item).encode()) + 1
        if size <= room:
            kept.append(item)
        elif item.get("output_type") == "stream":
            kept.append(_shortened(item, room))
        if size > room:
            break
        room -= size
    return _json([*kept, NOTE, *raised])


def _brief(error: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an error whose traceback is not as large as that, too."""
    if len(_json(error)) < MOST >> 5:
        return error
    return {**error, "evalue": str(error.get("evalue", ""))[:1000], "traceback": []}


def _shortened(item: Mapping[str, Any], room: int) -> Mapping[str, Any]:
    """Return the beginning of a stream; a character takes six bytes at most when JSON escapes it."""
    return {**item, "text": str(item.get("text", ""))[: max(room - 1024, 0) // 6]}


def _json(value: Any) -> str:
    return json.dumps(clean(value), ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def joined(before: str, more: str) -> str:
    r"""Return a stream's text with more of it, as a terminal shows it: of what `\r` and `\b` wrote over, only the last.

    A bar of progress so takes one line and not a thousand. It does not matter in which pieces the text comes.
    """
    line = before.rfind("\n") + 1
    last = before[line:] + more
    if "\r" in last:
        last = _OVERWRITTEN.sub("", _RETURNS.sub("\n", last))
    while "\b" in last and (shorter := _ERASED.sub("", last)) != last:
        last = shorter
    return before[:line] + last


_RETURNS = re.compile(r"\r+\n")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?![\r\n]|\Z)")
_ERASED = re.compile(r"[^\n\r\x08]\x08")


def size(output: Mapping[str, Any]) -> int:
    """Return about how many characters an output has."""
    if output.get("output_type") == "stream":
        return len(output["text"])
    return sum(len(value) for value in output.get("data", {}).values() if isinstance(value, str))


def clean(value: Any) -> Any:
    """Return a value without what the platform refuses: NULs, halves of characters, numbers that are not finite."""
    if isinstance(value, str):
        return value.replace("\0", "\u2400").encode("utf-8", "replace").decode()
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if isinstance(value, Mapping):
        return {str(clean(str(name))): clean(item) for name, item in cast("Mapping[Any, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [clean(item) for item in cast("Sequence[Any]", value)]
    return value if value is None or isinstance(value, (bool, int)) else str(value)
