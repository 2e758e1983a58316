"""The platform's own images, from `helm/images/*/Containerfile`, built by Debian's buildah and put into the node.

What the Containerfiles begin FROM is made by debootstrap under that name, so no image registry is asked. Each image is
built when what goes into it has changed; all but its last layer, the wheel, comes from buildah's cache then.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import time
from collections.abc import Iterable
from pathlib import Path

from tests.cluster.rig.images import ctr, known
from tests.cluster.rig.place import FOLDER, IMAGES, ROOT, RUN, alone, say, sh
from tests.cluster.rig.wheel import newest_wheel

BASE = "docker.io/library/debian:bookworm-slim"
PARTS = {"notebook": ("requirements/notebook.txt", "requirements/dev.txt"), "platform": ("requirements/platform.txt",)}
PROXY = "hub_config/pumpkin_hub/node"
BUILD = FOLDER / "build"


@alone("images")
def product_images() -> None:
    """Bring the images up to date: minutes at first, seconds when the product has changed, else nothing."""
    wheel = newest_wheel()
    there = known()
    for name, requirements in PARTS.items():
        image = f"docker.io/{IMAGES[name]}"
        files = [ROOT / "helm" / "images" / name / "Containerfile", wheel, *(ROOT / each for each in requirements)]
        stamp = BUILD / f"{name}.key"
        key = _key((*files, *sorted(file for file in (ROOT / PROXY).iterdir() if file.is_file())))
        if image in there and stamp.exists() and stamp.read_text() == key:
            continue
        begun = time.monotonic()
        say(f"building {IMAGES[name]}")
        _base()
        _build(name, image, files[0], _context(wheel, requirements))
        stamp.write_text(key)
        say(f"built {IMAGES[name]} in {time.monotonic() - begun:.0f} s")


def _key(files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for file in files:
        digest.update(f"{file.name}\0".encode() + file.read_bytes())
    return digest.hexdigest()


def _context(wheel: Path, requirements: Iterable[str]) -> Path:
    """Return a folder with just what the Containerfiles copy."""
    folder = BUILD / "context"
    shutil.rmtree(folder, ignore_errors=True)
    for path in requirements:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, folder / path)
    shutil.copytree(ROOT / PROXY, folder / PROXY, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    (folder / "dist").mkdir()
    shutil.copy(wheel, folder / "dist")
    return folder


def _build(name: str, image: str, containerfile: Path, context: Path) -> None:
    _buildah("build", "--isolation", "chroot", "--layers", "--pull-never", "-t", image, "-f", containerfile, context)
    archive = BUILD / f"{name}.tar"
    archive.unlink(missing_ok=True)
    _buildah("push", "--disable-compression", image, f"oci-archive:{archive}:{image}")
    ctr("images", "import", archive)
    archive.unlink()


def _base() -> None:
    """Make the Debian that the images begin with, which trusts the certificates that this machine trusts."""
    if BASE in _buildah("images", "--format", "{{.Name}}:{{.Tag}}"):
        return
    say("making the images' Debian")
    root, folder = BUILD / "debian", BUILD / "base"
    for each in (root, folder):
        shutil.rmtree(each, ignore_errors=True)
    folder.mkdir(parents=True)
    sh("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", root)
    for certificate in Path("/usr/local/share/ca-certificates").glob("**/*.crt"):
        shutil.copy(certificate, root / "usr/local/share/ca-certificates")
    sh("chroot", root, "update-ca-certificates")
    shutil.rmtree(root / "var/cache/apt/archives", ignore_errors=True)
    left_out = [f"--exclude=./{each}/*" for each in ("dev", "proc", "sys", "var/lib/apt/lists")]
    sh("tar", "--numeric-owner", "-C", root, "-cf", folder / "base.tar", *left_out, ".")
    (folder / "Containerfile").write_text('FROM scratch\nADD base.tar /\nCMD ["bash"]\n')
    _buildah("build", "-t", BASE, "-f", folder / "Containerfile", folder)
    for each in (root, folder):
        shutil.rmtree(each)


def _buildah(*words: object) -> str:
    log = FOLDER / "log" / "buildah.log"
    stores = ("--root", FOLDER / "storage", "--runroot", RUN / "storage")
    with log.open("a") as out:
        try:
            return sh("buildah", *stores, *words, stderr=out)
        except subprocess.CalledProcessError as error:
            out.write(error.stdout or "")
            say(f"buildah {words[0]} failed: see {log}")
            raise
