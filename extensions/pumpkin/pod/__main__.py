"""`python -m pumpkin.pod inputs|agent|evict`."""

from __future__ import annotations

import os
import signal
import sys
import threading

ended = threading.Event()


def _end(*_: object) -> None:
    ended.set()
    if sys.argv[1:2] != ["agent"]:
        os._exit(128 + signal.SIGTERM)  # nothing needs tidying up


if __name__ == "__main__":
    # A workload may be so short that its agent is told to end while it starts, and a container's first process passes
    # over a signal it does not handle: `env --block-signal=TERM`, which starts it, has kept that back until here.
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, _end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGTERM})
    from pumpkin.pod.commands import main

    sys.exit(main(ended))
