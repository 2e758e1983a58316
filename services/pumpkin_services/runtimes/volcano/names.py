"""What things are called in the cluster: pure functions, safe for any workspace, user, pool or role name."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from pumpkin_services.runtimes.base import Key

MANAGED_BY = "app.kubernetes.io/managed-by"
MANAGER = "pumpkin"
SELECTOR = f"{MANAGED_BY}={MANAGER}"
"""Selects all that is ours."""
WORKSPACE = "pumpkin.io/workspace"
WORKLOAD = "pumpkin.io/workload"
ATTEMPT = "pumpkin.io/attempt"
ROLE = "pumpkin.io/role"
INDEX = "pumpkin.io/index"
KIND = "pumpkin.io/kind"
POOL = "pool.pumpkin.io/"
"""Prefix of the label that puts a node into a pool."""
POOL_TAINT = "pumpkin.io/pool"
"""Nodes with this taint take workloads and little else."""
GROUP = "scheduling.k8s.io/group-name"
QUEUE = "scheduling.volcano.sh/queue-name"
ALL = "pumpkin"
"""The Queue around all those of pools."""
SCHEDULER = "volcano"
CACHE = "pumpkin-cache"
PINNED = "pumpkin-pinned"
DEFAULT = "pumpkin-default"

LABEL = 63
ROLE_LENGTH = 20
"""So that `w-<26 letters>-<attempt>-<role>-<index>-0` stays a DNS label."""


def slug(text: str, limit: int = LABEL) -> str:
    """Return `text` as a DNS label of at most `limit` characters; a hash tells apart what had to be changed."""
    if len(text) <= limit and re.fullmatch(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", text):
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    readable = re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[: limit - 9].rstrip("-")
    return f"{readable}-{digest}" if readable else f"x-{digest}"


def namespace(prefix: str, workspace: str) -> str:
    """Return the namespace of a workspace; `prefix` is in small letters and ends with `-`."""
    return prefix + slug(workspace, LABEL - len(prefix))


def job(key: Key) -> str:
    """Return the name of an attempt's vcjob and Secret."""
    return f"w-{key.workload}-{key.attempt}"


def ticket(key: Key) -> str:
    """Return the name of a notebook's PodGroup and pod."""
    return f"n-{key.workload}-{key.attempt}"


def task(role: str, index: int) -> str:
    """Return the name of a replica's task in its vcjob."""
    return f"{slug(role, ROLE_LENGTH)}-{index}"


def pod(key: Key, role: str, index: int) -> str:
    """Return the name Volcano gives a replica's pod, which is also its host name within the job's Service."""
    return f"{job(key)}-{task(role, index)}-0"


def home(user: str) -> str:
    """Return the name of the claim of a user's home."""
    return "home-" + slug(user, LABEL - 5)


def queue(pool: str) -> str:
    """Return the Queue of a pool; without one, Volcano's own."""
    return f"pumpkin-{slug(pool, LABEL - 8)}" if pool else "default"


def around(pool: str) -> str:
    """Return the Queue around those of a pool and its parts; without one, around all of the platform's."""
    return f"{queue(pool)}.all" if pool else ALL


def pool_label(pool: str) -> str:
    """Return the label that nodes of a pool carry, with the value `true`."""
    return POOL + pool


def tree(source: str) -> str:
    """Return the folder of an input version in a node's cache, below `trees`."""
    return hashlib.sha256(source.encode()).hexdigest()[:32]


def labels(key: Key) -> dict[str, str]:
    """Return the labels of everything an attempt has."""
    return {MANAGED_BY: MANAGER, WORKLOAD: key.workload, ATTEMPT: str(key.attempt)}


def key_of(found: Mapping[str, str]) -> Key | None:
    """Return the attempt an object with these labels belongs to, None if to none of ours."""
    workload, attempt = found.get(WORKLOAD, ""), found.get(ATTEMPT, "")
    if found.get(MANAGED_BY) != MANAGER or not workload or not re.fullmatch(r"[0-9]{1,9}", attempt):
        return None
    return Key(workload, int(attempt))
