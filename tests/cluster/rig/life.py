"""Starting and ending the cluster. Starting is idempotent, and heals what has died."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from tests.cluster.rig.api import apply_crds, call
from tests.cluster.rig.images import ctr, pause_image
from tests.cluster.rig.keys import make_keys
from tests.cluster.rig.place import (
    API,
    BIN,
    BRIDGE,
    FOLDER,
    HOST,
    KUBECONFIG,
    LOG,
    NODE,
    PKI,
    ROOT,
    RUN,
    SERVICES,
    alone,
    fail,
    say,
    sh,
)
from tests.cluster.rig.processes import alive, revive, start, stop, wait
from tests.cluster.rig.provisioner import make_class
from tests.cluster.rig.settings import write_settings
from tests.cluster.rig.webhooks import start_webhooks, were_started

NEEDED = {
    "buildah": "buildah",
    "containerd": "containerd",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "iptables": "iptables",
    "openssl": "openssl",
    "runc": "runc",
}
"""Programs, and Debian's packages of them."""
ETCD = "http://127.0.0.1:12379"
QUEUES = "/apis/scheduling.volcano.sh/v1beta1/queues"


def is_up() -> bool:
    """Say whether it was started, and not ended since."""
    return alive("kube-apiserver") is not None


@alone("life")
def up(*, webhooks: bool = False) -> None:
    """Start what does not run, and return when the node takes pods; with `webhooks`, Volcano's run, too."""
    begun = time.monotonic()
    for folder in (RUN, LOG):
        folder.mkdir(parents=True, exist_ok=True)
    make_keys()
    write_settings()
    if not Path(f"/sys/class/net/{BRIDGE}").exists():
        sh("ip", "link", "add", BRIDGE, "type", "bridge")
        sh("ip", "addr", "add", f"{HOST}/16", "dev", BRIDGE)
        sh("ip", "link", "set", BRIDGE, "up")
    _start_control_plane()
    _start_node()
    _start_volcano()
    wait("the node", _ready, "kubelet")
    wait(
        "the default queue", lambda: call("GET", f"{QUEUES}/default")["status"]["state"] == "Open", "volcano-scheduler"
    )
    wait("the default account", lambda: call("GET", "/api/v1/namespaces/default/serviceaccounts/default"))
    for name in ("fakegpu", "kwok"):
        revive(name)
    if webhooks or were_started():
        start_webhooks()
    say(f"node {NODE} is ready after {time.monotonic() - begun:.1f} s")


def check() -> None:
    """End with a sentence on what is missing on this machine, if anything is."""
    if os.geteuid() != 0:
        fail("a cluster of its own needs root; name an existing one with PUMPKIN_TEST_KUBECONFIG instead.")
    missing = [package for program, package in NEEDED.items() if shutil.which(program) is None]
    if not Path("/usr/lib/cni/bridge").exists():
        missing.append("containernetworking-plugins")
    if missing:
        fail(f"install {' '.join(missing)} first: apt-get install {' '.join(missing)}")


def _ready() -> bool:
    conditions = call("GET", f"/api/v1/nodes/{NODE}")["status"]["conditions"]
    return any(each["type"] == "Ready" and each["status"] == "True" for each in conditions)


def _start_control_plane() -> None:
    _start_containerd()
    peers = "http://127.0.0.1:12380"
    start(
        "etcd", BIN / "etcd", "--data-dir", FOLDER / "etcd", "--unsafe-no-fsync", "--log-level", "warn",
        "--listen-client-urls", ETCD, "--advertise-client-urls", ETCD, "--listen-peer-urls", peers,
        "--auto-compaction-retention", "5m", "--quota-backend-bytes", 4 << 30,
    )  # fmt: skip
    start(
        "kube-apiserver", BIN / "kube-apiserver", "--etcd-servers", ETCD, "--secure-port", 6443,
        "--advertise-address", HOST, "--cert-dir", PKI, "--tls-cert-file", PKI / "apiserver.crt",
        "--tls-private-key-file", PKI / "apiserver.key", "--client-ca-file", PKI / "ca.crt",
        "--token-auth-file", PKI / "tokens.csv", "--kubelet-client-certificate", PKI / "kubelet-client.crt",
        "--kubelet-client-key", PKI / "kubelet-client.key", "--kubelet-certificate-authority", PKI / "ca.crt",
        "--kubelet-preferred-address-types", "InternalIP", "--service-cluster-ip-range", SERVICES,
        "--authorization-mode", "RBAC", "--service-account-issuer", API, "--service-account-key-file", PKI / "sa.pub",
        "--service-account-signing-key-file", PKI / "sa.key", "--allow-privileged",
    )  # fmt: skip
    wait("the API server", lambda: call("GET", "/readyz") == "ok", "kube-apiserver")
    start(
        "kube-controller-manager", BIN / "kube-controller-manager", "--kubeconfig", KUBECONFIG,
        "--leader-elect=false", "--bind-address", "127.0.0.1", "--kube-api-qps", 500, "--kube-api-burst", 1000,
        "--cert-dir", RUN / "kcm", "--service-account-private-key-file", PKI / "sa.key",
        "--root-ca-file", PKI / "ca.crt",
    )  # fmt: skip
    start(
        "kube-scheduler", BIN / "kube-scheduler", "--kubeconfig", KUBECONFIG, "--leader-elect=false",
        "--bind-address", "127.0.0.1", "--cert-dir", RUN / "scheduler-pki",
    )  # fmt: skip


def _start_node() -> None:
    pause_image()
    start(
        "kubelet", BIN / "kubelet", "--config", FOLDER / "kubelet.json", "--kubeconfig", KUBECONFIG,
        "--root-dir", FOLDER / "kubelet", "--cert-dir", RUN / "kubelet-pki", "--hostname-override", NODE,
        "--node-ip", HOST,
    )  # fmt: skip
    start("kube-proxy", BIN / "kube-proxy", "--config", FOLDER / "kube-proxy.json")
    start("coredns", BIN / "coredns", "-conf", FOLDER / "Corefile")
    make_class()
    start("provisioner", sys.executable, "-m", "tests.cluster.rig.provisioner", env={"PYTHONPATH": str(ROOT)})


def _start_volcano() -> None:
    apply_crds()
    wait("Volcano's kinds", lambda: call("GET", QUEUES))
    start(
        "volcano-controller-manager", BIN / "volcano-controller-manager", "--kubeconfig", KUBECONFIG,
        "--leader-elect=false", "--logtostderr", "--kube-api-qps", 1000, "--kube-api-burst", 2000,
        "--worker-threads", 32, "--worker-threads-for-podgroup", 16,
    )  # fmt: skip
    start(
        "volcano-scheduler", BIN / "volcano-scheduler", "--kubeconfig", KUBECONFIG, "--leader-elect=false",
        "--scheduler-conf", FOLDER / "scheduler.yaml", "--schedule-period", "200ms", "--logtostderr",
        "--cache-dumper=false", env={"HOME": str(RUN)},
    )  # fmt: skip


@alone("life")
def down(*, wipe: bool = False) -> None:
    """Stop all and forget the cluster; with `wipe` its images, keys and logs, too."""
    for name in (
        "kwok", "fakelogs", "fakegpu", "provisioner", "volcano-webhook-manager", "volcano-scheduler",
        "volcano-controller-manager", "kubelet", "kube-scheduler", "kube-controller-manager", "coredns", "kube-proxy",
    ):  # fmt: skip
        stop(name)
    if (BIN / "kube-proxy").exists():
        words = (BIN / "kube-proxy", "--cleanup", "--config", FOLDER / "kube-proxy.json")
        sh(*words, check=False, stderr=subprocess.DEVNULL)
    if RUN.exists():
        _start_containerd()  # pods outlive it, and only it knows them all
        for task in ctr("tasks", "ls", "-q").split():
            ctr("tasks", "rm", "-f", task, check=False, stderr=subprocess.DEVNULL)
        for container in ctr("containers", "ls", "-q").split():
            ctr("containers", "rm", container, check=False)
            for result in Path("/var/lib/cni/results").glob(f"*-{container}-*"):
                result.unlink()
    for name in ("kube-apiserver", "etcd", "containerd"):
        stop(name)
    _clear(("etcd", "kubelet", "pod-logs", "volumes", "run", *(("containerd", "pki", "log") if wipe else ())))
    say("down")


def _start_containerd() -> None:
    start("containerd", "containerd", "--config", FOLDER / "containerd.toml")
    wait("containerd", lambda: ctr("version", stderr=subprocess.DEVNULL), "containerd")


def _clear(folders: tuple[str, ...]) -> None:
    mounts = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for mount in sorted((mount for mount in mounts if mount.startswith(f"{FOLDER}/")), reverse=True):
        sh("umount", "-l", mount, check=False)
    if Path(f"/sys/class/net/{BRIDGE}").exists():
        sh("ip", "link", "del", BRIDGE)
    groups = [*Path("/sys/fs/cgroup").glob("*/kubepods/**/"), *Path("/sys/fs/cgroup").glob("kubepods/**/")]
    for group in sorted(groups, reverse=True):
        _remove_empty(group)
    for folder in folders:
        shutil.rmtree(FOLDER / folder, ignore_errors=True)
    KUBECONFIG.unlink(missing_ok=True)
    _clear_fixed_places()


def _clear_fixed_places() -> None:
    """Remove what the kubelet and containerd keep outside the rig's folder."""
    shutil.rmtree("/var/lib/kubelet/device-plugins", ignore_errors=True)
    for link in Path("/var/log/containers").glob("*.log"):
        if link.is_symlink() and link.readlink().is_relative_to(FOLDER):
            link.unlink()
    for folder in ("/var/lib/kubelet", "/var/log/containers", "/var/lib/cni/results", "/var/lib/cni"):
        _remove_empty(Path(folder))


def _remove_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()
