"""README's tour of Kubernetes: its very commands, typed into a shell one after the other."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pexpect
import pytest

from tests.cluster.asking import Asking, clear
from tests.cluster.conftest import EXISTING, Cluster
from tests.cluster.rig.place import FOLDER, ROOT

SPACE, PASSWORD = "pumpkin", "fresh-winter-turnip-9"
SECONDS = 240
pytestmark = [
    pytest.mark.timeout(600),
    pytest.mark.skipif(bool(EXISTING), reason="PUMPKIN_TEST_KUBECONFIG names a cluster that is not the tour's."),
]


def tour() -> list[str]:
    """Return the commands, without their comments."""
    text = (ROOT / "README.md").read_text().partition("\n## On Kubernetes\n")[2]
    [block] = re.findall(r"```sh\n(.*?)```", text.partition("\n## ")[0], re.DOTALL)
    lines = [line.partition(" # ")[0].rstrip() for line in block.splitlines()]
    return [line.replace("~/.cache/pumpkin-rig", str(FOLDER)) for line in lines]


class Shell:
    """A person's shell in the repository, on a terminal."""

    def __init__(self, home: Path) -> None:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("PUMPKIN_", "KUBE"))}
        path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"XDG_CONFIG_HOME": str(home), "KUBECACHEDIR": str(home / "kube")}
        environ = clean | own | {"PATH": path, "PS1": "", "TERM": "dumb"}
        self._bash: Any = pexpect.spawn(
            "bash", ["--norc", "--noediting"], cwd=str(ROOT), env=environ, encoding="utf-8", timeout=SECONDS, echo=False
        )

    def run(self, command: str, **answers: str) -> str:
        """Type a command, answer what it asks for; return what it printed once it has ended well."""
        self._bash.sendline(f"{command}; echo ended:$?:")
        for question, answer in answers.items():
            self._bash.expect(f"(?i){question.replace('_', ' ')}: ")
            self._bash.sendline(answer)
        self._bash.expect(r"ended:(\d+):\r\n")
        said = str(self._bash.before)
        assert self._bash.match[1] == "0", f"{command}\n{said}"
        return said

    def close(self) -> None:
        self._bash.close(force=True)


@pytest.fixture
def shell(cluster: Cluster, tmp_path: Path) -> Iterator[Shell]:
    admin = Asking(kubeconfig=cluster.kubeconfig)
    clear(admin, SPACE)
    shell = Shell(tmp_path)
    yield shell
    shell.run(f"helm uninstall pumpkin -n {SPACE} --ignore-not-found --wait")
    shell.close()
    clear(admin, SPACE)


def test_the_readmes_tour_works_line_by_line(shell: Shell):
    begin, *commands, end = tour()
    assert (begin, end) == ("make cluster-up", "make cluster-down"), "the fixtures do what these do"
    once, said = "", ""
    for command in commands:
        asked = {"Password": once, "New_password": PASSWORD, "The_same_again": PASSWORD}
        said = shell.run(command, **(asked if command.startswith("pumpkin login ") else {}))
        if found := re.search(r"one-time password +(\S+)", said):
            once = found[1]
        if " job run " in command:
            assert "uid=1000" in said
    assert "namespace/pumpkin-admin" in said
    assert "/pumpkin-default" in said
