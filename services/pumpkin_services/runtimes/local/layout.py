"""Where a replica finds its folders, with and without bubblewrap. Pure: paths in, words and variables out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import PurePosixPath

from pumpkin_services.runtimes.base import Bind, ReplicaSpec

VARIABLES = {
    "PUMPKIN_CODE": "/code",
    "PUMPKIN_DATASETS": "/dataset",
    "PUMPKIN_PRETRAINED": "/pretrainmodel",
    "PUMPKIN_OUTPUT": "/model",
    "PUMPKIN_HOME": "/userhome",
}
WRITABLE = ("/model", "/userhome")
SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32", "/etc")
DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
THREADS = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


@dataclass(frozen=True, kw_only=True)
class Host:
    """What of this machine every sandbox shows or hides; found once by the runtime.

    `prefixes` are folders of interpreters shown read-only, `hidden_files` and `hidden_folders` the parts of `/etc`
    nobody needs to read, `devices` the accelerators' device files by index (`-1`: those that any of them needs).
    """

    prefixes: Sequence[str] = ()
    hidden_files: Sequence[str] = ()
    hidden_folders: Sequence[str] = ()
    devices: Mapping[int, Sequence[str]] = field(default_factory=dict[int, Sequence[str]])


@dataclass(frozen=True, kw_only=True)
class Layout:
    """One replica's folders in `folder`, its run folder.

    `isolated` says whether bubblewrap puts them at their targets; if not, `mounts/` below the run folder holds a
    link for each, in the same shape.
    """

    folder: str
    binds: Sequence[Bind]
    isolated: bool

    @property
    def all_binds(self) -> list[Bind]:
        """The binds given, and a scratch folder for each writable place that has none; parents come first."""
        given = {bind.target for bind in self.binds}
        scratch = [
            Bind(source=f"{self.folder}/scratch{target}", target=target, writable=True)
            for target in WRITABLE
            if target not in given
        ]
        return sorted([*self.binds, *scratch], key=lambda bind: PurePosixPath(bind.target).parts)

    def outside(self, path: str) -> str:
        """Return where the running process itself finds `path`, a path as the workload knows it."""
        if self.isolated or any(_below(path, bind.target) for bind in self.binds if bind.source == bind.target):
            return path
        return f"{self.folder}/mounts{path}"

    def links(self) -> dict[str, str]:
        """Return the links to make (path: what it points to) when there is no sandbox."""
        if self.isolated:
            return {}
        return {self.outside(bind.target): bind.source for bind in self.all_binds if bind.source != bind.target}

    def folders(self) -> list[str]:
        """Return the folders to make in the run folder before the replica starts."""
        scratch = [bind.source for bind in self.all_binds if _below(bind.source, f"{self.folder}/scratch")]
        if self.isolated:
            return [f"{self.folder}/scratch", f"{self.folder}/scratch/tmp", *scratch]
        linked = set(self.links())
        places = [self.outside(target) for target in VARIABLES.values()]
        parents = [str(PurePosixPath(link).parent) for link in linked]
        return [f"{self.folder}/scratch/tmp", *scratch, *parents, *(place for place in places if place not in linked)]

    def cwd(self, wanted: str) -> str:
        """Return the working folder as the process sees it."""
        if not wanted:
            wanted = "/code" if any(bind.target == "/code" for bind in self.binds) else "/userhome"
        return self.outside(wanted)

    def env(self) -> dict[str, str]:
        """Return the variables that tell where things are (DESIGN §4)."""
        return {
            **{name: self.outside(target) for name, target in VARIABLES.items()},
            "HOME": self.outside("/userhome"),
            "TMPDIR": "/tmp" if self.isolated else f"{self.folder}/scratch/tmp",  # noqa: S108
        }


def environment(
    spec: ReplicaSpec, *, layout: Layout, distributed: Mapping[str, str], mark: Mapping[str, str]
) -> dict[str, str]:
    """Return all variables of a replica. Nothing is inherited: the service's own hold secrets."""
    cores = str(max(1, -(-spec.cpu_milli // 1000))) if spec.cpu_milli else ""
    threads = dict.fromkeys(THREADS, cores) if cores else {}
    granted = ",".join(str(index) for index in spec.accelerators)
    return {
        "PATH": DEFAULT_PATH,
        "LANG": "C.UTF-8",
        "SHELL": "/bin/sh",
        "PYTHONUNBUFFERED": "1",
        **threads,
        **layout.env(),
        **spec.env,
        **distributed,
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": granted,
        "NVIDIA_VISIBLE_DEVICES": granted or "void",
        **mark,
    }


def sandbox(spec: ReplicaSpec, *, layout: Layout, host: Host, env: Mapping[str, str]) -> list[str]:
    """Return bubblewrap's options: what the replica sees, and nothing else of this machine."""
    words = ["--unshare-pid", "--unshare-ipc", "--unshare-uts", "--die-with-parent", "--cap-drop", "ALL"]
    for path in SYSTEM:
        words += ["--ro-bind-try", path, path]
    for path in host.hidden_files:
        words += ["--ro-bind", "/dev/null", path]
    for path in host.hidden_folders:
        words += ["--tmpfs", path]
    words += ["--proc", "/proc", "--dev", "/dev", "--tmpfs", "/dev/shm"]  # noqa: S108
    words += ["--bind", f"{layout.folder}/scratch/tmp", "/tmp"]  # noqa: S108
    if spec.accelerators:
        words += ["--ro-bind", "/sys", "/sys"]
        for index in (-1, *spec.accelerators):
            for device in host.devices.get(index, ()):
                words += ["--dev-bind", device, device]
    for path in host.prefixes:
        words += ["--ro-bind", path, path]
    for target in VARIABLES.values():
        words += ["--dir", target]
    for bind in layout.all_binds:
        words += ["--bind" if bind.writable else "--ro-bind", bind.source, bind.target]
    words += ["--remount-ro", "/", "--chdir", layout.cwd(spec.cwd), "--clearenv"]
    for name, value in env.items():
        words += ["--setenv", name, value]
    return words


def _below(path: str, folder: str) -> bool:
    return path == folder or path.startswith(folder.rstrip("/") + "/")
