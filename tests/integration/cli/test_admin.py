"""The admin's commands and environments from the command line, against a whole platform."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.integration.house import House

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def admin(platform: House, tmp_path: Path) -> Run:
    environment = {
        "PATH": os.environ["PATH"],
        "XDG_CONFIG_HOME": str(tmp_path),
        "PUMPKIN_URL": platform.url,
        "PUMPKIN_TOKEN": platform.admin.token,
    }

    def invoke(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", "from pumpkin.cli import main; main()", *words]
        answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert "Traceback" not in answer.stderr
        return answer

    return invoke


def done(answer: subprocess.CompletedProcess[str]) -> str:
    assert answer.returncode == 0, answer.stderr
    return answer.stdout


def test_a_spec_is_added_changed_priced_and_removed(admin: Run):
    done(admin("admin", "add-spec", "tiny", "--cores", "0.5", "--memory", "0.25", "--price", "1.50"))
    changed = json.loads(done(admin("admin", "edit-spec", "tiny", "--price", "2", "--disabled", "--json")))
    assert (changed["price_micro"], changed["cpu_milli"], changed["enabled"]) == (2_000_000, 500, False)
    assert "tiny" in done(admin("spec", "list", "--all"))
    assert "0.5 cores" in done(admin("admin", "edit-spec", "tiny", "--enabled"))
    nothing = admin("admin", "edit-spec", "tiny")
    assert (nothing.returncode, "say what" in nothing.stderr) == (1, True)
    assert admin("admin", "edit-spec", "tiny", "--price", "much").returncode == 2
    negative = admin("admin", "edit-spec", "tiny", "--price=-1")
    assert (negative.returncode, "price" in negative.stderr) == (1, True)
    assert "--yes" in admin("admin", "remove-spec", "tiny").stderr
    done(admin("admin", "remove-spec", "tiny", "--yes"))
    assert admin("admin", "remove-spec", "tiny", "--yes").returncode == 4


def test_a_pool_is_added_changed_and_removed(admin: Run):
    done(admin("admin", "add-pool", "night", "--user", "ann", "--kind", "job", "--spec", "cpu-small"))
    changed = json.loads(done(admin("admin", "edit-pool", "night", "--everyone", "--clear", "users", "--json")))
    assert (changed["everyone"], changed["users"], changed["kinds"]) == (True, [], ["job"])
    assert "night" in done(admin("pool", "list"))
    done(admin("admin", "remove-pool", "night", "--yes"))


def test_limits_and_budgets_are_set_and_lifted(admin: Run, platform: House):
    platform.user("frugal").api.get("/accounts/me").raise_for_status()
    done(admin("admin", "set-limit", "user", "frugal", "--running", "2", "--storage", "1.5"))
    [limit] = [item for item in json.loads(done(admin("admin", "limits", "--json"))) if item["subject"] == "frugal"]
    assert (limit["running"], limit["storage_bytes"]) == (2, 3 << 29)
    done(admin("admin", "unset-limit", "user", "frugal"))
    assert "frugal" not in done(admin("admin", "limits"))
    assert "12.50" in done(admin("admin", "budget", "frugal", "12.50"))
    assert "as much as its balance" in done(admin("admin", "budget", "frugal", "--none"))


def test_a_machine_is_drained_and_used_again_and_the_log_says_who_did_it(admin: Run):
    [node] = json.loads(done(admin("admin", "nodes", "--json")))
    done(admin("admin", "drain", node["name"], "--reason", "new disk"))
    assert "new disk" in done(admin("admin", "nodes"))
    done(admin("admin", "undrain", node["name"]))
    assert "drain" in done(admin("admin", "audit", "--limit", "5"))


def test_an_interpreter_is_registered_and_what_is_installed_here_is_frozen(admin: Run, tmp_path: Path):
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "venv")], check=True)
    python = str(tmp_path / "venv/bin/python")
    assert "pumpkin/plain" in done(admin("env", "register", "plain", python))
    difference: Any = admin("env", "freeze", "plain", "--as", "kept", "--leave-out-refused")
    assert "--yes" in difference.stderr
    assert "+ httpx==" in difference.stdout
    frozen = admin("env", "freeze", "plain", "--as", "kept", "--leave-out-refused", "--yes", "--json")
    version = json.loads(done(frozen))
    assert any(line.startswith("httpx==") for line in version["requirements"])
    done(admin("env", "delete", "kept", "--yes"))
    done(admin("env", "delete", "plain", "--yes"))
    assert "does not say" in admin("env", "freeze", "default", "--python", "/no/such/python").stderr


def test_what_is_kept_is_listed_and_which_versions_are_is_set(admin: Run, tmp_path: Path):
    def mine() -> tuple[int, int]:
        listed = json.loads(done(admin("billing", "storage", "--all", "--json")))
        found = [(item["versions"], item["bytes"]) for item in listed if item["workspace"] == "admin"]
        return found[0] if found else (0, 0)

    before = mine()
    for number in range(3):
        (tmp_path / "kept").write_text(f"{number}" * 1000)
        done(admin("dataset", "push", str(tmp_path / "kept")))
    after = mine()
    assert (after[0] - before[0], after[1] - before[1] >= 3000) == (3, True)
    assert "free" in done(admin("billing", "storage"))
    nothing = admin("dataset", "retain", "kept")
    assert (nothing.returncode, "--last" in nothing.stderr) == (2, True)
    assert "@1" in done(admin("dataset", "retain", "kept", "--last", "1", "--preview"))
    assert "Every version is kept" in done(admin("dataset", "retain", "kept", "--days", "9", "--preview"))
    assert "--yes" in admin("dataset", "retain", "kept", "--last", "1").stderr
    assert "the last 1" in done(admin("dataset", "retain", "kept", "--last", "1", "--yes"))
    assert json.loads(done(admin("dataset", "show", "kept", "--json")))["dataset"]["keep_last"] == 1
    assert "all are kept" in done(admin("dataset", "retain", "kept", "--all"))
