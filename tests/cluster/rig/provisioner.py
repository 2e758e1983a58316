"""Volumes for claims of the class `pumpkin-rig`: folders of the node that everybody may write to. Pods on pretended
nodes may have them, too.

A process of its own, `python -m tests.cluster.rig.provisioner`. It keeps nothing but the folders: what there is to do
it reads from the API server, so it may die and begin again at any time.
"""

from __future__ import annotations

import shutil
import time
from typing import Any

from tests.cluster.rig.api import call, create, delete, watch
from tests.cluster.rig.place import FOLDER, say

CLASS = "pumpkin-rig"
PROVISIONER = "pumpkin.io/rig"
VOLUMES = FOLDER / "volumes"
PERIOD_S = 3


def make_class() -> None:
    """Make the storage class known, once."""
    document = {
        "apiVersion": "storage.k8s.io/v1",
        "kind": "StorageClass",
        "metadata": {"name": CLASS},
        "provisioner": PROVISIONER,
        "reclaimPolicy": "Delete",
    }
    create("/apis/storage.k8s.io/v1/storageclasses", document)


def remove() -> None:
    """Remove the volumes whose claim is gone."""
    for volume in call("GET", "/api/v1/persistentvolumes")["items"]:
        if volume["spec"].get("storageClassName") == CLASS and volume["status"].get("phase") in ("Released", "Failed"):
            shutil.rmtree(VOLUMES / volume["metadata"]["name"], ignore_errors=True)
            delete(f"/api/v1/persistentvolumes/{volume['metadata']['name']}")


def provide(claim: dict[str, Any]) -> None:
    """Give a claim its volume, if it is ours and waits for one."""
    if claim["spec"].get("storageClassName") != CLASS or claim["spec"].get("volumeName"):
        return
    meta = claim["metadata"]
    name = f"pvc-{meta['uid']}"
    folder = VOLUMES / name
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o777)
    volume = {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": name, "annotations": {"pv.kubernetes.io/provisioned-by": PROVISIONER}},
        "spec": {
            "accessModes": claim["spec"]["accessModes"],
            "capacity": claim["spec"]["resources"]["requests"],
            "storageClassName": CLASS,
            # Volumes with a remover of their own kind would be tried first: it has none for folders outside /tmp.
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": str(folder), "type": "Directory"},
            "claimRef": {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
                **{key: meta[key] for key in ("name", "namespace", "uid")},
            },
        },
    }
    create("/api/v1/persistentvolumes", volume)


def main() -> None:
    """Work until killed; what fails is tried again."""
    while True:
        try:
            remove()
            for event in watch("/api/v1/persistentvolumeclaims", PERIOD_S):
                if event["type"] in ("ADDED", "MODIFIED"):
                    provide(event["object"])
        except (OSError, ValueError) as error:
            say(f"the provisioner tries again: {error}")
            time.sleep(1)


if __name__ == "__main__":
    main()
