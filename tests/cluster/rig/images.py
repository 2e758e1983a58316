"""Images of folders, put into the node's own store."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import tarfile
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.cluster.rig.place import BIN, FOLDER, PAUSE, SOCKET, sh

OCI = "application/vnd.oci.image."
SEARCH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def ctr(*words: object, **how: Any) -> str:
    """Ask containerd, in the kubelet's namespace."""
    return sh("ctr", "-a", SOCKET, "-n", "k8s.io", *words, **how)


def known() -> set[str]:
    """The images the node has."""
    return set(ctr("images", "ls", "-q").split())


def make_image(name: str, folder: Path, command: Sequence[str] = ()) -> None:
    """Make one folder a one-layer image; a tag other than `latest` keeps the kubelet from pulling it."""
    with tempfile.TemporaryDirectory(dir=FOLDER) as scratch:
        layer, archive = Path(scratch) / "layer.tar", Path(scratch) / "image.tar"
        sh("tar", "--numeric-owner", "--sort=name", "-C", folder, "-cf", layer, ".")
        _pack(archive, layer, name, command)
        ctr("images", "import", archive)


def _pack(archive: Path, layer: Path, name: str, command: Sequence[str]) -> None:
    with layer.open("rb") as data:
        digest = hashlib.file_digest(data, "sha256").hexdigest()
    blobs: dict[str, bytes] = {}

    def blob(document: dict[str, Any]) -> dict[str, Any]:
        content = json.dumps(document).encode()
        name = hashlib.sha256(content).hexdigest()
        blobs[name] = content
        return {"digest": f"sha256:{name}", "size": len(content)}

    config = blob(
        {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Cmd": list(command) or None, "Env": [f"PATH={SEARCH}"]},
            "rootfs": {"type": "layers", "diff_ids": [f"sha256:{digest}"]},
        }
    )
    manifest = blob(
        {
            "schemaVersion": 2,
            "mediaType": f"{OCI}manifest.v1+json",
            "config": {"mediaType": f"{OCI}config.v1+json", **config},
            "layers": [{"mediaType": f"{OCI}layer.v1.tar", "digest": f"sha256:{digest}", "size": layer.stat().st_size}],
        }
    )
    named = {"annotations": {"io.containerd.image.name": name}}
    index = {"schemaVersion": 2, "manifests": [{"mediaType": f"{OCI}manifest.v1+json", **manifest, **named}]}
    files = {"oci-layout": b'{"imageLayoutVersion":"1.0.0"}', "index.json": json.dumps(index).encode()}
    files |= {f"blobs/sha256/{key}": content for key, content in blobs.items()}
    with tarfile.open(archive, "w") as out:
        for path, content in files.items():
            entry = tarfile.TarInfo(path)
            entry.size = len(content)
            out.addfile(entry, io.BytesIO(content))
        out.add(layer, f"blobs/sha256/{digest}")


def pause_image() -> None:
    """Make the image that holds a pod's network."""
    if PAUSE not in known():
        with tempfile.TemporaryDirectory(dir=FOLDER) as root:
            shutil.copy(BIN / "pause", root)
            make_image(PAUSE, Path(root), ["/pause"])
