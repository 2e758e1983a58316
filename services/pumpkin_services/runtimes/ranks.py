"""The variables by which the replicas of a launch find each other, as torchrun sets them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pumpkin_services.runtimes.base import ReplicaSpec


def distributed_env(
    replicas: Sequence[ReplicaSpec], rank: int, *, hosts: Mapping[str, str], master_port: int
) -> dict[str, str]:
    """Return the distributed variables of `replicas[rank]`; `hosts` maps a replica's name to its address.

    Every replica is one worker on a node of its own (its accelerators are numbered from 0 for it), hence
    `LOCAL_RANK` 0 of `LOCAL_WORLD_SIZE` 1, and the group's rank is the worker's. Names and meanings follow
    torchrun (https://docs.pytorch.org/docs/stable/elastic/run.html#environment-variables).
    """
    me = replicas[rank]
    same_role = [replica for replica in replicas if replica.role == me.role]
    env = {
        "RANK": str(rank),
        "WORLD_SIZE": str(len(replicas)),
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "GROUP_RANK": str(rank),
        "GROUP_WORLD_SIZE": str(len(replicas)),
        "ROLE_NAME": me.role,
        "ROLE_RANK": str(same_role.index(me)),
        "ROLE_WORLD_SIZE": str(len(same_role)),
        "MASTER_ADDR": hosts[replicas[0].name],
        "MASTER_PORT": str(master_port),
        "PUMPKIN_ROLE": me.role,
        "PUMPKIN_REPLICA": me.name,
    }
    for role in dict.fromkeys(replica.role for replica in replicas):
        names = [replica.name for replica in replicas if replica.role == role]
        env[f"PUMPKIN_HOSTS_{_variable(role)}"] = ",".join(hosts[name] for name in names)
    return env


def _variable(role: str) -> str:
    return re.sub(r"\W", "_", role, flags=re.ASCII).upper()
