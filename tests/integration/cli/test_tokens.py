"""`pumpkin token` against a whole platform: made narrow, used, listed, revoked."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pumpkin import Client, PumpkinError
from tests.integration.house import House, User


def pumpkin(platform: House, token: str, home: Path, *words: str) -> subprocess.CompletedProcess[str]:
    environment = {
        "PATH": os.environ["PATH"],
        "XDG_CONFIG_HOME": str(home),
        "PUMPKIN_URL": platform.url,
        "PUMPKIN_TOKEN": token,
    }
    command = [sys.executable, "-c", "from pumpkin.cli import main; main()", "token", *words]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.fixture
def tess(platform: House) -> User:
    return platform.user("tess")


def test_a_token_is_made_used_listed_and_revoked(platform: House, tess: User, tmp_path: Path):
    made = pumpkin(platform, tess.token, tmp_path, "create", "nightly", "--read-only", "--days", "7")
    assert made.returncode == 0, made.stderr
    secret = made.stdout.strip()
    with Client(platform.url, secret) as client:
        assert client.whoami().name == "tess"
        with pytest.raises(PumpkinError) as refusal:
            client.datasets.create("mine")
        assert refusal.value.status == 403
    # What only reads makes no token, not even a narrower one.
    refused = pumpkin(platform, secret, tmp_path, "create", "more", "--scope", "datasets:read")
    assert (refused.returncode, refused.stdout) == (3, "")

    listed = json.loads(pumpkin(platform, tess.token, tmp_path, "list", "--json").stdout)
    [found] = [item for item in listed if item["note"] == "nightly"]
    assert "workloads:read" in found["scopes"]
    assert secret not in str(listed)
    row = pumpkin(platform, tess.token, tmp_path, "list").stdout
    assert "nightly" in row
    assert "in 7 d" in row

    assert "--yes" in pumpkin(platform, tess.token, tmp_path, "revoke", found["id"]).stderr
    done = pumpkin(platform, tess.token, tmp_path, "revoke", found["id"], "-y")
    assert done.returncode == 0, done.stderr
    assert pumpkin(platform, secret, tmp_path, "list").returncode == 3


def test_what_a_token_may_has_to_be_said(platform: House, tess: User, tmp_path: Path):
    nothing = pumpkin(platform, tess.token, tmp_path, "create", "x")
    assert (nothing.returncode, "--read-only" in nothing.stderr) == (1, True)
    beyond = pumpkin(platform, tess.token, tmp_path, "create", "x", "--ci", "--scope", "billing:admin")
    assert beyond.returncode == 3
    assert "billing:admin" in beyond.stderr
