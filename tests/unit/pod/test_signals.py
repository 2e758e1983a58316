"""A helper that is told to end while it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

from pumpkin_services.runtimes.volcano.pods import HELPER

SLOW = """
import pathlib, time
here = pathlib.Path(__file__).parent
(here / "starting").touch()
while not (here / "told").exists():
    time.sleep(0.01)
"""
"""Python imports this before anything of ours."""


def test_an_agent_told_to_end_before_it_has_begun_does_what_there_is_to_do(tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(SLOW)
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
        "PUMPKIN_URL": "http://127.0.0.1:9",
        "PUMPKIN_WORKLOAD": "w",
        "PUMPKIN_TOKEN": "t",
        "PUMPKIN_REPLICA": "main-0",
        "PUMPKIN_METRICS": str(tmp_path / "metrics.jsonl"),
        "PUMPKIN_OUTPUT": str(tmp_path / "output"),
        "PUMPKIN_POD_CACHE": str(tmp_path / "cache"),
    }
    words = [sys.executable if word == "python3" else word for word in HELPER]
    with subprocess.Popen([*words, "agent"], env=env) as agent:
        while not (tmp_path / "starting").exists():
            assert agent.poll() is None
            time.sleep(0.01)
        agent.send_signal(signal.SIGTERM)
        (tmp_path / "told").touch()
    assert agent.returncode == 0, "it has looked for output and metrics, and found none"
