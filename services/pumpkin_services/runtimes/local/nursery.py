"""The service's end of the nursery, the small process that forks supervisors. It may die at any time."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from pathlib import Path

from pumpkin_services.runtimes.local import supervisor


class NurseryDied(Exception):
    """The nursery went away in the middle of a request: the lock tells whether the supervisor was forked."""


class Nursery:
    """Starts the nursery when it is first needed, and again when it has died. Safe to use from several threads."""

    def __init__(self, *, messages: Path) -> None:
        self._messages = messages
        self._lock = threading.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._door: socket.socket | None = None

    @property
    def pid(self) -> int | None:
        """The pid of the present nursery."""
        return self._process.pid if self._process else None

    def fork(self, folder: Path, lock: int) -> None:
        """Start a supervisor on `folder`, handing on the folder's lock. Raises `NurseryDied`: look and try again."""
        with self._lock:
            door = self._door or self._open()
            try:
                socket.send_fds(door, [os.fsencode(folder)], [lock])
                answered = door.recv(16)
            except OSError:
                answered = b""
            if not answered:
                self._close()
                raise NurseryDied

    def close(self) -> None:
        """End the nursery; supervisors stay."""
        with self._lock:
            self._close()

    def _open(self) -> socket.socket:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs, self._messages.open("ab") as messages:
            self._process = subprocess.Popen(
                [sys.executable, "-I", "-S", supervisor.__file__],
                stdin=theirs.fileno(),
                stdout=subprocess.DEVNULL,
                stderr=messages,
                cwd="/",
                env={"PATH": os.defpath},
                start_new_session=True,
            )
        self._door = ours
        return ours

    def _close(self) -> None:
        if self._door is not None:
            self._door.close()
            self._door = None
        if self._process is not None:
            self._process.wait()
            self._process = None
