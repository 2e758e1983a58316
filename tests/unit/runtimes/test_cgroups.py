"""The control-group files of a replica, for both versions."""

from pathlib import Path

from pumpkin_services.runtimes.base import ReplicaSpec
from pumpkin_services.runtimes.local.cgroups import ControlGroups

SPEC = ReplicaSpec(role="worker", index=0, argv=["true"], cpu_milli=1500, memory=1 << 30)


def limits(groups: ControlGroups, spec: ReplicaSpec) -> dict[str, str]:
    return {
        f"{group['path']}/{file}": value for group in groups.plan("w", spec) for file, value in group["limits"].items()
    }


def test_version_one_spreads_the_limits_over_its_hierarchies() -> None:
    groups = ControlGroups(bases={"cpu": Path("/c"), "cpuacct": Path("/c"), "memory": Path("/m"), "pids": Path("/p")})
    assert groups.version == 1
    assert limits(groups, SPEC) == {
        "/c/w/cpu.cfs_period_us": "100000",
        "/c/w/cpu.cfs_quota_us": "150000",
        "/m/w/memory.limit_in_bytes": str(1 << 30),
        "/p/w/pids.max": "4096",
    }


def test_version_two_has_them_in_one_folder() -> None:
    groups = ControlGroups(bases={"": Path("/u")})
    assert groups.version == 2
    assert limits(groups, SPEC) == {
        "/u/w/pids.max": "4096",
        "/u/w/cpu.max": "150000 100000",
        "/u/w/memory.max": str(1 << 30),
        "/u/w/memory.oom.group": "1",
    }


def test_a_tiny_share_of_a_core_is_still_a_share_the_kernel_takes() -> None:
    spec = ReplicaSpec(role="worker", index=0, argv=["true"], cpu_milli=1)
    assert limits(ControlGroups(bases={"": Path("/u")}), spec)["/u/w/cpu.max"] == "1000 100000"


def test_without_control_groups_there_is_no_plan() -> None:
    assert ControlGroups(bases={}).plan("w", SPEC) == []
