"""From what people send (lines, a requirements.txt, a pyproject.toml) to requirement lines that are safe to build.

Pure: nothing here touches the network, the disk or the database.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any, cast
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from pumpkin_services.images import models as wire
from pumpkin_services.problems import Invalid

MAX_LINES = 1000
TOOLS = frozenset({"pip", "setuptools", "wheel", "distribute"})
"""What `pip freeze` leaves out: never counted as a difference."""


class Unsafe(ValueError):
    """A line that cannot be part of an environment; its text says why and what to do instead."""


def lines_of(request: wire.Requirements, *, allow_urls: bool) -> list[str]:
    """Return the normalised requirement lines of a request; raise `Invalid` naming the line that is refused."""
    if request.pyproject is not None:
        field, lines = "pyproject", _from_pyproject(request.pyproject)
    elif isinstance(request.requirements, str):
        field, lines = "requirements", _from_text(request.requirements)
    else:
        field, lines = "requirements", [(index, line) for index, line in enumerate(request.requirements or [])]
    kept: list[str] = []
    errors: list[dict[str, str]] = []
    for position, line in lines:
        try:
            checked = check_line(line, allow_urls=allow_urls)
        except Unsafe as error:
            errors.append({"field": f"{field}.{position}", "message": f"{_short(line)}: {error}"})
        else:
            kept += [checked] if checked else []
    if errors:
        raise Invalid.many(errors[:20])
    if len(kept) > MAX_LINES:
        raise Invalid(f"There are {len(kept)} requirements, an environment takes {MAX_LINES} at most.", field=field)
    return kept


def check_line(line: str, *, allow_urls: bool) -> str:
    """Return a requirement line in its normal form, "" for a blank or comment; raise `Unsafe` for anything else."""
    if any(ord(character) < 32 and character != "\t" for character in line):
        raise Unsafe("a requirement is one line without control characters.")
    text = _without_comment(line).strip()
    if not text:
        return ""
    if text.startswith("-"):
        raise Unsafe(_why_no_option(text))
    if " --" in text:
        raise Unsafe("options behind a requirement (--hash and the like) are not taken: the platform locks it itself.")
    try:
        requirement = Requirement(text)
    except InvalidRequirement as error:
        raise Unsafe(_why_invalid(text)) from error
    if requirement.url is not None:
        _check_url(requirement.url, allow_urls=allow_urls)
    return str(requirement)


def locked_packages(lock: str) -> dict[str, str]:
    """Return name -> version (or URL) of every package a lock written by `uv pip compile` pins, by name."""
    packages: dict[str, str] = {}
    for line in lock.splitlines():
        text = line.split(" #")[0].rstrip(" \\").strip()
        if not text or text.startswith(("#", "-")):
            continue
        requirement = Requirement(text)
        version = requirement.url or next((item.version for item in requirement.specifier), "")
        packages[canonicalize_name(requirement.name)] = version
    return dict(sorted(packages.items()))


def compare(
    installed: Iterable[str], packages: dict[str, str], *, allow_urls: bool
) -> tuple[wire.Difference, list[str]]:
    """Compare `pip freeze` lines with a version's packages.

    Returns the difference (its `against` still 0) and the lines that can be kept as requirements.
    """
    present: dict[str, str] = {}
    kept: list[str] = []
    refused: list[wire.Refused] = []
    for line in installed:
        try:
            text = check_line(line, allow_urls=allow_urls)
        except Unsafe as error:
            refused.append(wire.Refused(line=_short(line), why=str(error)))
            continue
        if text:
            requirement = Requirement(text)
            version = requirement.url or next((item.version for item in requirement.specifier), "")
            present[canonicalize_name(requirement.name)] = version
            kept.append(text)
    added = {name: version for name, version in sorted(present.items()) if name not in packages}
    absent = {name: version for name, version in packages.items() if name not in present and name not in TOOLS}
    changed = [
        wire.Changed(name=name, before=packages[name], after=version)
        for name, version in sorted(present.items())
        if packages.get(name, version) != version
    ]
    return wire.Difference(against=0, added=added, removed=absent, changed=changed, refused=refused), kept


def _from_text(text: str) -> list[tuple[int, str]]:
    """Number the logical lines of a requirements.txt from 1, as an editor does; a backslash continues a line."""
    lines: list[tuple[int, str]] = []
    open_at: int | None = None
    for number, line in enumerate(text.replace("\r\n", "\n").split("\n"), start=1):
        if open_at is not None:
            at, before = lines.pop()
            lines.append((at, before + " " + line.strip().removesuffix("\\").rstrip()))
        else:
            lines.append((number, line.removesuffix("\\").rstrip() if line.endswith("\\") else line))
        open_at = number if line.endswith("\\") else None
    return lines


def _from_pyproject(text: str) -> list[tuple[int, str]]:
    try:
        document = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Invalid(f"The pyproject.toml cannot be read: {error}.", field="pyproject") from error
    project: Any = document.get("project")
    if not isinstance(project, dict):
        raise Invalid("The pyproject.toml has no [project] table: list what you need there.", field="pyproject")
    found: Any = cast(dict[str, Any], project).get("dependencies", [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in cast(list[Any], found)):
        raise Invalid("project.dependencies is not a list of texts.", field="pyproject")
    return list(enumerate(cast(list[str], found)))


def _without_comment(line: str) -> str:
    """Cut a comment as pip does: `#` at the start or after white space (a URL may hold one)."""
    stripped = line.lstrip()
    if stripped.startswith("#"):
        return ""
    for index, character in enumerate(line):
        if character == "#" and line[index - 1].isspace():
            return line[:index]
    return line


def _why_no_option(text: str) -> str:
    option = text.split("=")[0].split()[0]
    if option in ("-e", "--editable"):
        return "editable installs live on one disk only: publish the package, or push the code as an algorithm."
    if option in ("-r", "--requirement", "-c", "--constraint"):
        return "other files are not read: put their lines here."
    if option in ("-i", "--index-url", "--extra-index-url", "-f", "--find-links", "--no-index", "--trusted-host"):
        return "the package index is set for the whole platform: ask an admin."
    return f"options like {option[:40]} are not taken: list only requirements."


def _why_invalid(text: str) -> str:
    if text.startswith((".", "/", "~", "file:")) or "\\" in text:
        return "local paths mean nothing to the builder: publish the package, or push the code as an algorithm."
    if "://" in text:
        return "write a URL as 'name @ https://…'."
    return "it is not a requirement as PEP 508 has it: write a name and versions, such as 'numpy>=2,<3'."


def _check_url(url: str, *, allow_urls: bool) -> None:
    try:
        parts = urlsplit(url)
        credentials = parts.username is not None or parts.password is not None
    except ValueError as error:
        raise Unsafe("its URL cannot be read.") from error
    if credentials or "@" in parts.netloc:
        raise Unsafe("a URL with a user name or password would be kept for everybody to read: take it out.")
    if parts.scheme.lower() != "https":
        raise Unsafe("only https:// URLs can be built from, no local files and no version control.")
    if not allow_urls:
        raise Unsafe("direct URLs are not allowed on this platform: name a version from the index, or ask an admin.")


def _short(line: str) -> str:
    text = "".join(character if character.isprintable() else "?" for character in line.strip())
    return _hide_credentials(text if len(text) <= 80 else text[:79] + "…")


def _hide_credentials(text: str) -> str:
    head, scheme, rest = text.partition("://")
    authority, slash, path = rest.partition("/")
    return f"{head}{scheme}***@{authority.rpartition('@')[2]}{slash}{path}" if scheme and "@" in authority else text
