"""The configuration files of the cluster's programs, written anew at each start."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

from tests.cluster.rig.place import (
    API,
    BRIDGE,
    FOLDER,
    HOST,
    IMAGES,
    KUBECONFIG,
    NODE,
    PAUSE,
    PKI,
    PODS,
    RUN,
    SOCKET,
    SOURCE,
)
from tests.cluster.rig.provisioner import CLASS


def write_settings() -> None:
    """Write them all."""
    _json(KUBECONFIG, _kubeconfig())
    KUBECONFIG.chmod(0o600)
    _text(FOLDER / "resolv.conf", "")
    # The scheduler follows edits of the copy.
    _text(FOLDER / "scheduler.yaml", (SOURCE / "scheduler.yaml").read_text())
    _json(FOLDER / "kubelet.json", _kubelet())
    _json(FOLDER / "kube-proxy.json", _kube_proxy())
    _text(FOLDER / "Corefile", COREFILE)
    (FOLDER / "cni").mkdir(exist_ok=True)
    _json(FOLDER / "cni" / "10-rig.conflist", _network())
    _text(FOLDER / "containerd.toml", CONTAINERD)
    _json(FOLDER / "values.yaml", _chart())


def _json(path: Path, document: dict[str, Any]) -> None:
    _text(path, json.dumps(document, indent=1))


def _text(path: Path, content: str) -> None:
    """Write what is new: kube-proxy ends itself when its file is touched."""
    if not path.exists() or path.read_text() != content:
        path.write_text(content)


def _kubeconfig() -> dict[str, Any]:
    authority = base64.b64encode((PKI / "ca.crt").read_bytes()).decode()
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "rig",
        "clusters": [{"name": "rig", "cluster": {"server": API, "certificate-authority-data": authority}}],
        "users": [{"name": "admin", "user": {"token": (PKI / "token").read_text()}}],
        "contexts": [{"name": "rig", "context": {"cluster": "rig", "user": "admin"}}],
    }


def _chart() -> dict[str, Any]:
    """Return what the platform's chart must know of this cluster."""
    return {
        "image": {"tag": IMAGES["platform"].rsplit(":", 1)[1]},
        "data": {"storageClass": CLASS, "size": "5Gi"},
        "workloads": {"storageClass": CLASS},
        "cache": {"path": str(FOLDER / "cache")},
    }


def _kubelet() -> dict[str, Any]:
    never = ("memory.available", "nodefs.available", "nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree")
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "address": HOST,
        "healthzBindAddress": HOST,
        "tlsCertFile": f"{PKI}/kubelet.crt",
        "tlsPrivateKeyFile": f"{PKI}/kubelet.key",
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": f"{PKI}/ca.crt"},
        },
        "authorization": {"mode": "Webhook"},
        "containerRuntimeEndpoint": f"unix://{SOCKET}",
        "cgroupDriver": "cgroupfs",
        "failCgroupV1": False,
        "failSwapOn": False,
        "clusterDNS": [HOST],
        "clusterDomain": "cluster.local",
        "resolvConf": f"{FOLDER}/resolv.conf",
        "makeIPTablesUtilChains": False,
        "maxPods": 250,
        "registryPullQPS": 0,
        "eventRecordQPS": 0,
        "nodeStatusUpdateFrequency": "5s",
        "syncFrequency": "10s",
        "podLogsDir": f"{FOLDER}/pod-logs",
        "imageGCHighThresholdPercent": 100,
        "imageGCLowThresholdPercent": 99,
        # The machine is the tests': how full its disk is is no business of the cluster's.
        "evictionHard": dict.fromkeys(never, "0%"),
    }


def _kube_proxy() -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": "iptables",
        "iptables": {"localhostNodePorts": False},  # else it leaves a rule and a sysctl of its own behind
        "clusterCIDR": PODS,
        "hostnameOverride": NODE,
        "clientConnection": {"kubeconfig": str(KUBECONFIG)},
        "healthzBindAddress": f"{HOST}:10256",
        "metricsBindAddress": f"{HOST}:10249",
        "conntrack": {"maxPerCore": 0, "tcpEstablishedTimeout": "0s", "tcpCloseWaitTimeout": "0s"},
    }


def _network() -> dict[str, Any]:
    bridge = {
        "type": "bridge",
        "bridge": BRIDGE,
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {
            "type": "host-local",
            "dataDir": str(RUN / "cni"),
            "ranges": [[{"subnet": PODS, "gateway": HOST}]],
            "routes": [{"dst": "0.0.0.0/0"}],
        },
    }
    return {"cniVersion": "0.4.0", "name": "rig", "plugins": [bridge]}


COREFILE = f""".:53 {{
  bind {HOST}
  errors
  kubernetes cluster.local {{
    kubeconfig {KUBECONFIG}
    pods insecure
  }}
  cache 5 {{
    disable denial
  }}
}}
"""
CONTAINERD = f"""version = 2
root = "{FOLDER}/containerd"
state = "{RUN}/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper",
  "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs", "io.containerd.internal.v1.opt"]
[grpc]
  address = "{SOCKET}"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  restrict_oom_score_adj = true
  netns_mounts_under_state_dir = true
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "{FOLDER}/cni"
  [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
    runtime_type = "io.containerd.runc.v2"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
      SystemdCgroup = false
"""
