"""What somebody configured for KubeSpawner and what a grant demands, made one. Pure functions; nothing is changed.

Ours win where both say something of the same thing; everything else of theirs stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, cast

Objects = Sequence[Mapping[str, Any]]
"""A list of Kubernetes objects."""


def listed(value: Mapping[str, Any] | Sequence[Any] | None) -> list[Any]:
    """Return the objects of an option that is a list, or a dict whose values count in the order of its keys."""
    if isinstance(value, Mapping):
        return [value[name] for name in sorted(value)]
    return list(value or [])


def by(key: str, theirs: Mapping[str, Any] | Sequence[Any] | None, ours: Objects) -> list[Any]:
    """Return both, ours in place of those of theirs that have the same `key` (such as `name`)."""
    taken = {item[key] for item in ours}
    return [*ours, *(item for item in listed(theirs) if item.get(key) not in taken)]


def both_terms(theirs: Mapping[str, Any] | Sequence[Any] | None, ours: Objects) -> list[Any]:
    """Return nodeSelectorTerms that hold where one of theirs and one of ours do.

    Terms are alternatives: put one behind the other, theirs would let a pod out of its pool.
    """
    others = listed(theirs)
    if not others or not ours:
        return [*others, *ours]
    return [_and(one, other) for one in others for other in ours]


def _and(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, list[Any]]:
    merged = {name: [*one.get(name, []), *other.get(name, [])] for name in ("matchExpressions", "matchFields")}
    return {name: rules for name, rules in merged.items() if rules}


def context(theirs: Any, ours: Mapping[str, Any]) -> Any:
    """Return a security context with ours on top; theirs may be a dict or, as KubeSpawner allows, a callable.

    A callable stays one, as KubeSpawner awaits what it returns only when it makes the manifest.
    """
    if not callable(theirs):
        return {**cast(Mapping[str, Any], theirs or {}), **ours}
    ask = cast(Callable[[Any], Any], theirs)

    async def merged(spawner: Any) -> dict[str, Any]:
        answer = ask(spawner)
        return {**((await answer if hasattr(answer, "__await__") else answer) or {}), **ours}

    return merged


def literal(value: Any) -> Any:
    """Return `value` so that KubeSpawner, which expands `{username}` and the like in it, makes it what it was."""
    if isinstance(value, str):
        return value.replace("{", "{{").replace("}", "}}")
    if isinstance(value, Mapping):
        items = cast(Mapping[str, Any], value).items()
        return {name: literal(item) for name, item in items}
    if isinstance(value, list):
        return [literal(item) for item in cast(list[Any], value)]
    return value
