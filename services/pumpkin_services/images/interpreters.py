"""Looking at an existing Python by running it: its version, where it lives and what it has installed."""

from __future__ import annotations

import asyncio
import hashlib
import importlib.metadata
import json
import os
import platform
import re
import sys
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from pumpkin_services.problems import Invalid

INSPECT_SECONDS = 60.0
DISTRIBUTION = "pumpkin-platform"
_PROGRAM = """
import importlib.metadata as m, json, platform, sys
print(json.dumps({"version": platform.python_version(), "prefix": sys.prefix,
    "packages": {d.metadata["Name"]: d.version for d in m.distributions() if d.metadata["Name"]}}))
"""


@dataclass(frozen=True, kw_only=True)
class Interpreter:
    """What a Python says about itself; `packages` maps normalised names to versions.

    `image` is set of a Python that is not on this machine but in an image.
    """

    python: str
    version: str
    prefix: str
    packages: dict[str, str]
    image: str = ""

    @property
    def digest(self) -> str:
        """SHA-256 that changes when the interpreter, its version or a package does."""
        image = [self.image] if self.image else []
        return digest_of(json.dumps([self.python, self.packages, *image]), python=self.version)


def in_image(image: str, *, python: str) -> Interpreter:
    """Return the Python of a cluster's image for notebooks and jobs: it has at least what our `notebook` extra names.

    `python` stands for it on this machine.
    """
    wanted = [Requirement(text) for text in importlib.metadata.requires(DISTRIBUTION) or ()]
    packages = {
        canonicalize_name(item.name): str(item.specifier).removeprefix("==")
        for item in wanted
        if item.marker is None or item.marker.evaluate({"extra": "notebook"})
    }
    version = ".".join(platform.python_version_tuple()[:2])
    return Interpreter(
        python=python, version=version, prefix=sys.prefix, packages=dict(sorted(packages.items())), image=image
    )


def digest_of(content: str, *, python: str) -> str:
    """Return the hex SHA-256 of a lock for one Python version on this kind of machine."""
    text = "\0".join((content, python, platform.system(), platform.machine(), *platform.libc_ver()))
    return hashlib.sha256(text.encode()).hexdigest()


def folders_behind(python: Path, *, prefix: Path) -> list[Path]:
    """Return the folders of the Python a virtual environment was made from, as it is named there and as it really is.

    Blocking, quick. Files of a prefix that can no longer be read are taken as absent.
    """
    homes = [python.resolve().parent]
    try:
        config = (prefix / "pyvenv.cfg").read_text()
    except (OSError, UnicodeDecodeError):
        config = ""
    if found := re.search(r"^home *= *(\S.*?) *$", config, re.MULTILINE):
        homes.append(Path(found[1]))
    bases = dict.fromkeys(home.parent for home in homes)
    # Only what looks like an installation: a lone binary must not open the folder above it.
    return [base for base in bases if base != Path("/") and any((base / "lib").glob("python3*"))]


async def inspect_interpreter(python: str, *, field: str = "python") -> Interpreter:
    """Run `python` and return what it is; raise `Invalid` naming `field` when it is no working Python 3.9 or later."""
    path = Path(python)
    if not path.is_absolute() or "\0" in python:
        raise Invalid(f"'{python[:200]}' is not an absolute path: give the whole path of the interpreter.", field=field)
    if not (path.is_file() and os.access(path, os.X_OK)):
        raise Invalid(f"There is no program at '{python}' on this machine.", field=field)
    process = await asyncio.create_subprocess_exec(
        python, "-I", "-c", _PROGRAM, cwd="/", env={"PATH": os.defpath, "LANG": "C.UTF-8"},
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    try:
        output, _ = await asyncio.wait_for(process.communicate(), INSPECT_SECONDS)
        found = json.loads(output)
        packages = {canonicalize_name(str(name)): str(version) for name, version in found["packages"].items()}
        return Interpreter(
            python=python,
            version=str(found["version"]),
            prefix=str(found["prefix"]),
            packages=dict(sorted(packages.items())),
        )
    except (TimeoutError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise Invalid(
            f"'{python}' does not answer as a Python interpreter (3.9 or later) does.", field=field
        ) from error
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
