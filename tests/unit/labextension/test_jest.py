"""Needs the extension's npm packages (`make install`): its pure parts are tested in their own language, by Jest."""

from __future__ import annotations

import subprocess
from pathlib import Path

LABEXTENSION = Path(__file__).parents[3] / "labextension"


def test_the_extensions_own_tests_pass():
    jest = LABEXTENSION / "node_modules" / ".bin" / "jest"
    done = subprocess.run([jest, "--ci"], cwd=LABEXTENSION, capture_output=True, text=True, timeout=240, check=False)
    assert done.returncode == 0, done.stderr
    assert "failed" not in done.stderr.rpartition("Tests:")[2]
