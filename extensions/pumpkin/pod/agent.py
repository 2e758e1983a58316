"""Beside a workload as long as it runs: its metrics at once, and when it has ended its output folder, go home."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable

from pumpkin._protocol import delay
from pumpkin.errors import PumpkinError
from pumpkin.pod.cache import Cache
from pumpkin.pod.home import Home
from pumpkin.pod.metrics import MetricFile
from pumpkin.pod.patience import MOST, PATIENCE, Patience, early, passes
from pumpkin.pod.settings import Pod
from pumpkin.pod.tarball import files, stream

SECOND = 1.0
"""Between two looks at the metrics."""


def run(pod: Pod, ended: threading.Event, *, patience: float = PATIENCE) -> None:
    """Work until `ended` is set, then send the rest; return when the platform has everything.

    Inputs are kept on the node meanwhile. A platform that is away is asked again without end (the pod's own time to
    end is the limit); raises `PumpkinError` when it refuses what is sent.
    """
    home = Home(pod)
    try:
        with Cache(pod.cache).hold(pod.sources) as missing:
            for source in missing:
                _say(f"the input {source} is not in the node's cache")
            sender = _Sender(pod, home, patience)
            sender.while_running(ended)
            sender.rest()
    finally:
        home.close()


class _Sender:
    def __init__(self, pod: Pod, home: Home, patience: float) -> None:
        self._pod = pod
        self._home = home
        self._patience = patience
        self._metrics = MetricFile(pod.metrics)

    def while_running(self, ended: threading.Event) -> None:
        """Send metrics as they come; trouble is left for the next second."""
        failures = 0
        while not ended.wait(SECOND + delay(failures) if failures else SECOND):
            try:
                while not ended.is_set() and self._some_metrics():
                    pass
                failures = 0
            except PumpkinError as error:
                _say(f"metrics are not taken now: {error}")
                failures = min(failures + 1, MOST)

    def rest(self) -> None:
        """Send the last metrics and the output."""
        try:
            self._until_taken(self._all_metrics)
        except PumpkinError as error:
            _say(f"the last metrics are lost: {error}")
        # An output folder without files is none: the platform needs no word of it.
        if next(files(str(self._pod.output), lambda _: None), None) is not None:
            self._until_taken(lambda: self._home.send_output(stream(self._pod.output, say=_say)))
            print("the output was sent", flush=True)

    def _all_metrics(self) -> None:
        while self._some_metrics():
            pass

    def _some_metrics(self) -> bool:
        lines, position = self._metrics.batch()
        if position == self._metrics.position:
            return False
        try:
            if lines:
                self._home.send_metrics(lines)
        except PumpkinError as error:
            if passes(error) or early(error):
                raise
            _say(f"{len(lines)} lines of metrics are not taken: {error}")
        self._metrics.taken(position)
        return True

    def _until_taken(self, send: Callable[[], None]) -> None:
        away, refused = Patience(float("inf")), Patience(self._patience)
        while True:
            try:
                return send()
            except PumpkinError as error:
                if not passes(error) and not early(error):
                    raise
                (away if passes(error) else refused).wait(error)
            except OSError as error:
                refused.wait(PumpkinError(f"The output cannot be read: {error}."))


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)
