"""The pure parts: where a replica finds its folders and its peers."""

import pytest

from pumpkin_services.runtimes.base import Bind, ReplicaSpec
from pumpkin_services.runtimes.local.layout import Host, Layout, environment, sandbox
from pumpkin_services.runtimes.ranks import distributed_env

BINDS = [
    Bind(source="/data/cache/7", target="/dataset/digits"),
    Bind(source="/data/cache/8", target="/code"),
    Bind(source="/data/runs/w/1/output", target="/model", writable=True),
    Bind(source="/data/environments/e", target="/data/environments/e"),
]


def layout(*, isolated: bool, binds: list[Bind] = BINDS) -> Layout:
    return Layout(folder="/run/w", binds=binds, isolated=isolated)


@pytest.mark.parametrize(
    ("path", "isolated", "outside"),
    [
        ("/code", True, "/code"),
        ("/dataset/digits/a.csv", True, "/dataset/digits/a.csv"),
        ("/code", False, "/run/w/mounts/code"),
        ("/code/sub", False, "/run/w/mounts/code/sub"),
        ("/dataset", False, "/run/w/mounts/dataset"),
        ("/pretrainmodel", False, "/run/w/mounts/pretrainmodel"),
        ("/data/environments/e/bin/python", False, "/data/environments/e/bin/python"),
        ("/data/environments/elsewhere", False, "/run/w/mounts/data/environments/elsewhere"),
    ],
)
def test_a_path_is_found_where_it_really_is(path: str, isolated: bool, outside: str) -> None:
    assert layout(isolated=isolated).outside(path) == outside


@pytest.mark.parametrize(
    ("wanted", "binds", "cwd"),
    [
        ("", BINDS, "/code"),
        ("", [], "/userhome"),
        ("/model", BINDS, "/model"),
        ("/dataset/digits", BINDS, "/dataset/digits"),
    ],
)
def test_the_working_folder_is_the_code_unless_said_otherwise(wanted: str, binds: list[Bind], cwd: str) -> None:
    assert layout(isolated=True, binds=binds).cwd(wanted) == cwd
    assert layout(isolated=False, binds=binds).cwd(wanted) == f"/run/w/mounts{cwd}"


def test_links_stand_for_binds_and_writable_places_always_exist() -> None:
    assert layout(isolated=False).links() == {
        "/run/w/mounts/code": "/data/cache/8",
        "/run/w/mounts/dataset/digits": "/data/cache/7",
        "/run/w/mounts/model": "/data/runs/w/1/output",
        "/run/w/mounts/userhome": "/run/w/scratch/userhome",
    }
    assert layout(isolated=True).links() == {}


def test_the_five_variables_are_always_set() -> None:
    for isolated in (True, False):
        env = layout(isolated=isolated, binds=[]).env()
        for name in ("PUMPKIN_CODE", "PUMPKIN_DATASETS", "PUMPKIN_PRETRAINED", "PUMPKIN_OUTPUT", "PUMPKIN_HOME"):
            assert env[name].startswith("/")


def test_a_sandbox_shows_inputs_read_only_and_no_variable_of_its_own() -> None:
    spec = ReplicaSpec(role="worker", index=0, argv=["true"], binds=BINDS, accelerators=[1])
    host = Host(
        prefixes=["/opt/python"],
        hidden_files=["/etc/shadow"],
        devices={-1: ["/dev/nvidiactl"], 0: ["/dev/nvidia0"], 1: ["/dev/nvidia1"]},
    )
    words = sandbox(spec, layout=layout(isolated=True), host=host, env={"A": "b"})
    text = " ".join(words)
    assert "--ro-bind /data/cache/7 /dataset/digits" in text
    assert "--bind /data/runs/w/1/output /model" in text
    assert "--bind /run/w/scratch/userhome /userhome" in text
    assert "--ro-bind /dev/null /etc/shadow" in text
    assert "--dev-bind /dev/nvidia1 /dev/nvidia1" in text
    assert "/dev/nvidia0" not in text
    assert text.endswith("--clearenv --setenv A b")


@pytest.mark.parametrize(("cpu_milli", "threads"), [(500, "1"), (1000, "1"), (1500, "2"), (4000, "4"), (0, None)])
def test_thread_pools_are_as_wide_as_the_cores_granted(cpu_milli: int, threads: str | None) -> None:
    spec = ReplicaSpec(role="worker", index=0, argv=["true"], cpu_milli=cpu_milli)
    env = environment(spec, layout=layout(isolated=True), distributed={}, mark={})
    assert env.get("OMP_NUM_THREADS") == threads


def test_granted_accelerators_cannot_be_widened_by_the_job() -> None:
    greedy = {"CUDA_VISIBLE_DEVICES": "0,1,2,3", "OMP_NUM_THREADS": "3"}
    for granted, shown in (((), ""), ((2,), "2"), ((0, 3), "0,3")):
        spec = ReplicaSpec(role="worker", index=0, argv=["true"], accelerators=granted, env=greedy, cpu_milli=1000)
        env = environment(spec, layout=layout(isolated=True), distributed={}, mark={})
        assert env["CUDA_VISIBLE_DEVICES"] == shown
        assert env["OMP_NUM_THREADS"] == "3"


def test_ranks_follow_the_order_of_the_launch() -> None:
    replicas = [
        ReplicaSpec(role=role, index=index, argv=[]) for role, index in (("chief", 0), ("ps-x", 0), ("ps-x", 1))
    ]
    hosts = {"chief-0": "10.0.0.1", "ps-x-0": "10.0.0.2", "ps-x-1": "10.0.0.3"}
    env = distributed_env(replicas, 2, hosts=hosts, master_port=23456)
    assert env == {
        "RANK": "2",
        "WORLD_SIZE": "3",
        "LOCAL_RANK": "0",
        "LOCAL_WORLD_SIZE": "1",
        "GROUP_RANK": "2",
        "GROUP_WORLD_SIZE": "3",
        "ROLE_NAME": "ps-x",
        "ROLE_RANK": "1",
        "ROLE_WORLD_SIZE": "2",
        "MASTER_ADDR": "10.0.0.1",
        "MASTER_PORT": "23456",
        "PUMPKIN_ROLE": "ps-x",
        "PUMPKIN_REPLICA": "ps-x-1",
        "PUMPKIN_HOSTS_CHIEF": "10.0.0.1",
        "PUMPKIN_HOSTS_PS_X": "10.0.0.2,10.0.0.3",
    }
