"""Volcano's admission webhooks: an option, for the platform must do with them and without."""

from __future__ import annotations

import base64
import urllib.error
from typing import Any

import yaml

from tests.cluster.rig.api import call, create, delete
from tests.cluster.rig.build import module
from tests.cluster.rig.place import BIN, HOST, KUBECONFIG, PKI, RUN, sh
from tests.cluster.rig.processes import start, stop, wait

PROGRAM = "volcano-webhook-manager"
PORT = 8443
KINDS = "/apis/admissionregistration.k8s.io/v1"


def start_webhooks() -> None:
    """Run Volcano's webhook manager and have the API server ask it, as Volcano's own chart would."""
    asked: list[str] = []
    for configuration in _configurations():
        for webhook in configuration["webhooks"]:
            path = webhook["clientConfig"]["service"]["path"]
            asked.append(path)
            authority = base64.b64encode((PKI / "ca.crt").read_bytes()).decode()
            webhook["clientConfig"] = {"url": f"https://{HOST}:{PORT}{path}", "caBundle": authority}
        create(f"{KINDS}/{configuration['kind'].lower()}s", configuration)
    start(
        PROGRAM, BIN / PROGRAM, "--kubeconfig", KUBECONFIG, "--listen-address", HOST, "--port", PORT,
        "--tls-cert-file", PKI / "apiserver.crt", "--tls-private-key-file", PKI / "apiserver.key",
        "--ca-cert-file", PKI / "ca.crt", "--webhook-url", f"https://{HOST}:{PORT}",
        "--enabled-admission", ",".join(asked), "--logtostderr",
    )  # fmt: skip
    wait("Volcano's webhooks", _answers, PROGRAM)


def stop_webhooks() -> None:
    """Have the API server ask nobody again."""
    for configuration in _configurations():
        path = f"{KINDS}/{configuration['kind'].lower()}s"
        delete(f"{path}/{configuration['metadata']['name']}")
    stop(PROGRAM)


def were_started() -> bool:
    """Say whether the API server asks the webhooks, so that they must run."""
    return any(
        each["metadata"]["name"].startswith("volcano-admission")
        for each in call("GET", f"{KINDS}/validatingwebhookconfigurations")["items"]
    )


def _configurations() -> list[dict[str, Any]]:
    chart = module("volcano.sh/volcano") / "installer/helm/chart/volcano"
    text = sh(
        BIN / "helm",
        "template",
        "volcano",
        chart,
        "--namespace",
        "volcano-system",
        "-s",
        "templates/webhooks.yaml",
        env={"HOME": str(RUN)},
    )
    return [document for document in yaml.safe_load_all(text) if document]


def _answers() -> bool:
    """A job that asks for more at once than it has is refused by nobody else; a dry run makes nothing of it."""
    task = {"name": "main", "replicas": 1, "template": {"spec": {"containers": [{"name": "main", "image": "none"}]}}}
    job = {
        "apiVersion": "batch.volcano.sh/v1alpha1",
        "kind": "Job",
        "metadata": {"name": "rig-probe"},
        "spec": {"minAvailable": 2, "tasks": [task]},
    }
    try:
        call("POST", "/apis/batch.volcano.sh/v1alpha1/namespaces/default/jobs?dryRun=All", job)
    except urllib.error.HTTPError as error:
        return b"minAvailable" in error.read()
    return False
