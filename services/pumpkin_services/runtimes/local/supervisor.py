"""What stands between a replica and everything else: starts it once, waits, kills all of it, writes how it ended.

Run as `python -I -S supervisor.py` with a socket as stdin this is the *nursery*: for each run folder (and its held
lock) that arrives it forks a supervisor, which lives in a session of its own and needs the nursery no more. Forking
a warm interpreter costs a tenth of starting one. Standard library only; all decisions are in `spec.json`.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import resource
import shutil
import signal
import socket
import sys
import time
from collections.abc import Iterable
from typing import Any

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
WATCHED = {signal.SIGTERM, signal.SIGCHLD, signal.SIGINT, signal.SIGHUP}
EXIT_FILE_BYTES = 4096
COULD_NOT_START = 127

prctl = ctypes.CDLL(None).prctl
_epoch = 0


def nursery() -> None:
    """Fork a supervisor for every (folder, lock) received on fd 0 until its other end is closed."""
    door = socket.socket(fileno=os.dup(0))
    devnull = os.open(os.devnull, os.O_RDWR)
    os.dup2(devnull, 0)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # a supervisor that ends while we live leaves no zombie
    gc.collect()
    gc.freeze()
    while True:
        message, locks, _, _ = socket.recv_fds(door, 8192, 1)
        if not message:
            return
        lock = locks[0]
        os.set_inheritable(lock, False)
        if os.fork() == 0:
            door.close()
            try:
                os.setsid()
                os.chdir(message)
                supervise(lock)
            except Exception as error:
                sys.excepthook(type(error), error, error.__traceback__)
            finally:
                os._exit(0)
        os.close(lock)
        door.send(b"forked")


def supervise(lock: int) -> None:
    """Run the replica of the current folder, once, to its end. `lock` is held until this process is gone."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, WATCHED)
    prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    with open("spec.json", encoding="utf-8") as file:
        spec = json.load(file)
    log = os.open("log", os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    outcome: dict[str, Any] = {"exit_code": COULD_NOT_START, "signal": None, "error": ""}
    try:
        reserve = reserve_exit_file()
    except OSError:
        return  # nothing ran and nothing can be written: the replica stays unstarted, for its launcher to see
    try:
        for path in spec["needs"]:
            os.stat(path)
        for group in spec["cgroups"]:
            make_cgroup(group)
        status, error = run(spec, lock, log, outcome)
        outcome.update(decode(status, sandboxed=bool(spec["sandbox"])))
        outcome["error"] = error
    except OSError as error:
        outcome["error"] = describe(error)
    outcome.setdefault("ended", now())
    clear(spec["cgroups"])
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    outcome["cpu_ms"] = round((usage.ru_utime + usage.ru_stime) * 1000)
    outcome["memory_peak"] = usage.ru_maxrss * 1024
    outcome.update(totals(spec["cgroups"]))
    outcome["oom"] = outcome.get("oom", False) and outcome["exit_code"] != 0
    remove_cgroups(spec["cgroups"])
    forget("spec.json")
    sync(log)
    write_exit_file(reserve, outcome)
    notify(spec["notify"], spec["key"])
    shutil.rmtree("scratch", ignore_errors=True)


def run(spec: dict[str, Any], lock: int, log: int, outcome: dict[str, Any]) -> tuple[int, str]:
    """Start the process, serve stop requests, and return its wait status and why it could not be started, if so."""
    go, ready = os.pipe()
    failure, complaint = os.pipe()
    report, sandbox = os.pipe()
    child = os.fork()
    if child == 0:
        try:
            os.close(lock)
            os.close(ready)
            become(spec, go, log, sandbox)
        except OSError as error:
            os.write(complaint, describe(error).encode())
        finally:
            os._exit(COULD_NOT_START)
    for end in (go, complaint, sandbox):
        os.close(end)
    os.set_blocking(report, False)
    outcome["started"] = now()
    # From here on the replica counts as run: after a crash it is lost, never started again.
    started = {"supervisor": os.getpid(), "pid": child, "started": outcome["started"], "cgroups": spec["cgroups"]}
    started["accelerators"] = spec["accelerators"]
    write_durably("started.json", started)
    forget("spec.json")
    stopping = os.path.exists("stop.json")
    if stopping:
        os.kill(child, signal.SIGKILL)
    else:
        os.write(ready, b"!")
        notify(spec["notify"], spec["key"])
    status = watch(spec, child)
    outcome["ended"] = now()
    if stopping:
        return signal.SIGTERM, ""
    error = os.read(failure, 1000).decode(errors="replace")
    if spec["sandbox"] and os.waitstatus_to_exitcode(status) > 0 and not ran(report):
        if os.path.exists("stop.json"):
            return signal.SIGTERM, ""  # it was asked to stop before it had begun
        return COULD_NOT_START << 8, "The sandbox could not be set up; its message is in the log."
    return status, error


def ran(report: int) -> bool:
    """Tell from bubblewrap's report whether the command was reached."""
    try:
        return b"exit-code" in os.read(report, 65536)
    except BlockingIOError:
        return False


def become(spec: dict[str, Any], go: int, log: int, report: int) -> None:
    """Turn this process into the replica's, once the supervisor says so. Returns only by raising."""
    prctl(PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    for group in spec["cgroups"]:
        # A thread that moves only itself is moved at once; for any other move the kernel first waits, some 10 ms, until
        # no process anywhere is forking.
        write(group["path"] + "/" + group["join"], "0")
    if not os.read(go, 1):
        return
    os.setsid()
    for name, value in spec["rlimits"].items():
        lower_limit(getattr(resource, name), value)
    os.nice(spec["nice"])
    attempt(write, "/proc/self/oom_score_adj", "500")  # before the platform, when the whole machine runs out
    os.dup2(log, 1)
    os.dup2(log, 2)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, WATCHED)
    argv, env = spec["argv"], spec["env"]
    if spec["sandbox"]:
        # By descriptor: the job's variables must neither reach bubblewrap itself (LD_PRELOAD) nor show in `ps`.
        options = os.memfd_create("options")
        os.write(options, b"".join(os.fsencode(word) + b"\0" for word in spec["sandbox"]))
        os.lseek(options, 0, os.SEEK_SET)
        os.set_inheritable(options, True)
        os.set_inheritable(report, True)
        argv = [argv[0], "--args", str(options), "--json-status-fd", str(report), *argv[1:]]
    os.chdir(spec["cwd"])
    os.execvpe(argv[0], argv, env)


def lower_limit(kind: int, value: int) -> None:
    """Set a limit of this process, never above what it may have already (which only root may raise)."""
    hard = resource.getrlimit(kind)[1]
    value = value if hard == resource.RLIM_INFINITY else min(value, hard)
    resource.setrlimit(kind, (value, value))


def watch(spec: dict[str, Any], child: int) -> int:
    """Wait for the child's end, reaping orphans and carrying out stop requests; return its wait status."""
    deadline: float | None = None
    asked: set[int] = set()
    killed = False
    while True:
        status = reap(child)
        if status is not None:
            return status
        if deadline is None:
            event = signal.sigwaitinfo(WATCHED)
        else:
            wait = deadline - time.monotonic()
            event = signal.sigtimedwait(WATCHED, min(0.1, max(0.0, wait)))
        if event is not None and event.si_signo == signal.SIGTERM:
            until = time.monotonic() + requested_grace()
            deadline = until if deadline is None else min(until, deadline)
        if deadline is None:
            continue
        pids = members(spec["cgroups"])
        if spec["sandbox"] and not killed:
            # They would take a SIGTERM for the end of the sandbox, and must outlive the rest to collect its times.
            pids -= sandbox_processes(child)
        if time.monotonic() >= deadline:
            kill(pids, signal.SIGKILL)
            killed = True
            deadline = time.monotonic() + 0.1
        else:
            # Again and again, since a process may fork while it is being asked; but each only once.
            kill(pids - asked, signal.SIGTERM)
            asked |= pids


def reap(child: int) -> int | None:
    """Collect every dead child; return the status of `child` if it is among them."""
    found = None
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return found
        if pid == 0:
            return found
        if pid == child:
            found = status


def clear(cgroups: list[dict[str, Any]]) -> None:
    """Kill what the replica left behind, however it was daemonised, and return when nothing of it is alive."""
    for group in cgroups:
        for file, value in group["stop"].items():
            attempt(write, group["path"] + "/" + file, value)
    while True:
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            if not in_cgroups(cgroups):
                return
        # The groups are quick to read and hold nearly all; looking through /proc is for what got out of them.
        kill(in_cgroups(cgroups) or descendants(os.getpid()), signal.SIGKILL)
        signal.sigtimedwait({signal.SIGCHLD}, 0.01)


def members(cgroups: list[dict[str, Any]]) -> set[int]:
    """Return the replica's processes: all descendants (orphans come back to us) and all in its control groups."""
    return descendants(os.getpid()) | in_cgroups(cgroups)


def descendants(root: int) -> set[int]:
    """Return the pids of all children of `root`, and theirs."""
    children: dict[int, list[int]] = {}
    for pid, parent in parents():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    todo = [root]
    while todo:
        fresh = [pid for pid in children.get(todo.pop(), ()) if pid not in found]
        found.update(fresh)
        todo += fresh
    return found


def parents() -> Iterable[tuple[int, int]]:
    """Yield (pid, parent's pid) of every living process."""
    for name in os.listdir("/proc"):
        if name.isdigit():
            stat = read(f"/proc/{name}/stat").rpartition(")")[2].split()
            if stat and stat[0] not in "ZX":
                yield int(name), int(stat[1])


def sandbox_processes(child: int) -> set[int]:
    """Return bubblewrap's own two processes."""
    return {child} | {pid for pid, parent in parents() if parent == child}


def in_cgroups(cgroups: list[dict[str, Any]]) -> set[int]:
    """Return the pids in the control groups."""
    return {int(pid) for group in cgroups for pid in read(group["path"] + "/cgroup.procs").split()}


def kill(pids: Iterable[int], number: int) -> None:
    """Signal each process that is still there."""
    for pid in pids:
        attempt(os.kill, pid, number)


def make_cgroup(group: dict[str, Any]) -> None:
    """Make one control group and set its limits. Raises OSError: a limit that cannot be set is no limit."""
    os.makedirs(group["path"], exist_ok=True)
    for file, value in group["limits"].items():
        write(group["path"] + "/" + file, value)


def remove_cgroups(cgroups: list[dict[str, Any]]) -> None:
    """Remove emptied control groups; the kernel may need a moment to see that they are empty."""
    for group in cgroups:
        for _ in range(100):
            try:
                os.rmdir(group["path"])
            except FileNotFoundError:
                break
            except OSError:
                time.sleep(0.01)
            else:
                break


def totals(cgroups: list[dict[str, Any]]) -> dict[str, Any]:
    """Return those of `cpu_ms`, `memory_peak` and `oom` that the control groups know."""
    result: dict[str, Any] = {}
    for group in cgroups:
        for name, (file, word, divisor) in group["read"].items():
            value = counter(read(group["path"] + "/" + file), word)
            if value is not None:
                result[name] = value > 0 if name == "oom" else value // divisor
    return result


def counter(text: str, word: str) -> int | None:
    """Return the number after `word` in a control group's file (the only number when `word` is empty)."""
    for line in text.splitlines():
        name, _, value = line.rpartition(" ")
        if name == word and value.isdigit():
            return int(value)
    return None


def decode(status: int, *, sandboxed: bool) -> dict[str, Any]:
    """Return `exit_code` (as a shell gives it) and `signal`. bubblewrap passes signals on as 128 + n only."""
    code = os.waitstatus_to_exitcode(status)
    if code < 0:
        return {"exit_code": 128 - code, "signal": -code}
    if sandboxed and 128 < code <= 192:
        return {"exit_code": code, "signal": code - 128}
    return {"exit_code": code, "signal": None}


def requested_grace() -> float:
    """Return the seconds of grace of the latest stop request (0 when it cannot be read)."""
    try:
        return float(json.loads(read("stop.json"))["grace"])
    except (ValueError, KeyError, TypeError):
        return 0.0


def reserve_exit_file() -> int:
    """Take the room for the outcome now, so that a disk the job fills cannot hide how it ended."""
    file = os.open("exit.tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.posix_fallocate(file, 0, EXIT_FILE_BYTES)
    return file


def write_exit_file(file: int, outcome: dict[str, Any], *, folder: str = ".") -> None:
    """Make the outcome durable, then visible."""
    data = json.dumps(outcome).encode()
    os.pwrite(file, data.ljust(EXIT_FILE_BYTES), 0)
    sync(file)
    os.rename(f"{folder}/exit.tmp", f"{folder}/exit.json")
    sync_folder(folder)


def write_durably(name: str, value: dict[str, Any]) -> None:
    """Write a JSON file that is whole and on the disk when this returns."""
    file = os.open(name + ".tmp", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        os.write(file, json.dumps(value).encode())
        os.fsync(file)
    finally:
        os.close(file)
    os.rename(name + ".tmp", name)
    sync_folder(os.path.dirname(name) or ".")


def sync_folder(path: str) -> None:
    """Make renames in a folder durable."""
    folder = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def sync(file: int) -> None:
    """Flush a file as far as the disk allows."""
    attempt(os.fsync, file)


def notify(folder: str, key: str) -> None:
    """Tell every service listening in `folder` that something changed about `key`. Best effort."""
    try:
        place = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        names = os.listdir(place)
    except OSError:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.settimeout(0.05)
        for name in names:
            # Through /proc, for a socket's address holds 107 bytes and a data folder's path may be longer.
            attempt(sender.sendto, key.encode(), f"/proc/self/fd/{place}/{name}")
    os.close(place)


def now() -> int:
    """Unix milliseconds, read once and then counted on, so that setting the clock does not bend a run's length."""
    global _epoch
    if not _epoch:
        _epoch = time.time_ns() - time.monotonic_ns()
    return (_epoch + time.monotonic_ns()) // 1_000_000


def describe(error: OSError) -> str:
    """Say in one line why a replica could not be started."""
    what = f": {error.filename}" if error.filename else ""
    return f"{error.strerror}{what}"


def read(path: str) -> str:
    """Return a small file's text, empty when it cannot be read."""
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read()
    except OSError:
        return ""


def write(path: str, text: str) -> None:
    """Write a small file that exists."""
    file = os.open(path, os.O_WRONLY)
    try:
        os.write(file, text.encode())
    finally:
        os.close(file)


def forget(path: str) -> None:
    """Remove a file if it is there."""
    attempt(os.unlink, path)


def attempt(function: Any, *arguments: Any) -> None:
    """Call a system function whose failure changes nothing."""
    try:
        function(*arguments)
    except OSError:
        pass


if __name__ == "__main__":
    sys.exit(nursery())
