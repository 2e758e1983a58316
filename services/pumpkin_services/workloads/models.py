"""Wire models of workloads: what is asked for, and how it stands."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from pumpkin_services.assets.models import Labels
from pumpkin_services.names import Name
from pumpkin_services.web import Page, PageQuery, Wire
from pumpkin_services.workloads.notebook_models import NotebookRun

Kind = Literal["job", "notebook"]
Phase = Literal["queued", "preparing", "running", "stopping", "succeeded", "failed", "stopped"]
Target = Literal["run", "stop", "delete"]
Reason = Literal[
    "",
    "exit_code",
    "signal",
    "oom",
    "start_failed",
    "lost",
    "deadline",
    "budget",
    "balance",
    "environment_failed",
    "input_missing",
    "output_failed",
    "cannot_fit",
    "reclaimed",
    "idle",
    "grant_expired",
    "server_failed",
    "stopped_by_user",
    "stopped_by_admin",
]
ENDED: tuple[Phase, ...] = ("succeeded", "failed", "stopped")
OPEN: tuple[Phase, ...] = ("queued", "preparing", "running", "stopping")

MAX_ENV = 64 << 10
"""Bytes of names and values all variables of one workload may have together."""
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}")


def _environ(env: dict[str, str]) -> dict[str, str]:
    for name, value in env.items():
        if not _VARIABLE.fullmatch(name):
            raise ValueError(f"'{name[:40]}' is not a variable's name: use letters, digits and '_'")
        if name.startswith("PUMPKIN_"):
            raise ValueError(f"'{name}': names beginning with PUMPKIN_ are the platform's own")
        if "\0" in value:
            raise ValueError(f"the value of '{name}' contains a NUL")
    if sum(len(name.encode()) + len(value.encode()) for name, value in env.items()) > MAX_ENV:
        raise ValueError(f"the variables have more than {MAX_ENV} bytes together: put them into a file")
    return env


Word = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]
Command = Annotated[list[Word], Field(min_length=1, max_length=4096)] | Annotated[Word, Field(min_length=1)]
"""A list is executed as it is; a string is run by `sh -c`."""
Arguments = Annotated[list[Word], Field(max_length=4096)]
Env = Annotated[dict[str, str], AfterValidator(_environ)]
Ref = Annotated[str, Field(max_length=400, description="`name`, `name@3` or `workspace/name@3`.")]
Refs = Annotated[list[Ref], Field(max_length=64)]
Note = Annotated[str, StringConstraints(max_length=500, pattern=r"^[^\x00]*$")]
Workspace = Annotated[str | None, Field(default=None, max_length=255, description="The caller's own unless given.")]
Notes = Annotated[str, StringConstraints(max_length=100_000, pattern=r"^[^\x00]*$")]


class Role(Wire):
    """One part of a distributed job: `replicas` processes alike. The main role's end is the job's end."""

    name: Name
    command: Command
    args: Arguments = []
    env: Env = {}
    spec: str = Field(min_length=1, max_length=63)
    replicas: int = Field(default=1, ge=1, le=256)
    min_available: int | None = Field(
        default=None, ge=1, le=256, description="How many must be placed and stay alive; all unless given."
    )
    is_main: bool = False

    @model_validator(mode="after")
    def _possible(self) -> Role:
        if self.min_available is not None and self.min_available > self.replicas:
            raise ValueError("min_available is more than replicas")
        return self


class Output(Wire):
    """Where the output folder goes when the job succeeds: the next version of a model."""

    model: Name


class Inputs(Wire):
    """What a workload runs in and what it is given to read."""

    workspace: Workspace
    environment: Ref | None = Field(default=None, description="The platform's default unless given.")
    datasets: Refs = []
    algorithm: Ref | None = None
    models: Refs = []


class JobRequest(Inputs):
    """A job: the short form (`spec`, `command`), `roles`, or a `notebook` on one `spec`."""

    name: Name
    spec: str | None = Field(default=None, min_length=1, max_length=63)
    command: Command | None = None
    args: Arguments = []
    env: Env = {}
    replicas: int = Field(default=1, ge=1, le=256, description="Of the short form.")
    roles: list[Role] | None = Field(default=None, min_length=1, max_length=16)
    notebook: NotebookRun | None = None
    retries: int = Field(default=0, ge=0, le=100)
    backoff_seconds: float = Field(default=5, ge=0, le=86_400, description="Before the first retry; doubles each time.")
    deadline_seconds: int | None = Field(
        default=None, ge=1, le=31_536_000, description="How long one attempt may run before it is stopped."
    )
    budget_micro: int | None = Field(
        default=None, ge=0, le=10**18, description="The most it may cost, retries included."
    )
    priority: int = Field(default=0, ge=-100, le=100)
    output: Output | None = None
    labels: Labels = []
    notes: Notes = ""

    @model_validator(mode="after")
    def _one_form(self) -> JobRequest:
        if self.notebook is not None:
            if self.command is not None or self.args or self.roles is not None or self.replicas != 1:
                raise ValueError(
                    "a notebook is run by the platform's own command: send no command, args, roles, replicas"
                )
            if self.spec is None:
                raise ValueError("send the spec to run the notebook on")
            return self
        if self.roles is None:
            if self.spec is None or self.command is None:
                raise ValueError("send spec and command, roles, or spec and notebook")
            return self
        if self.spec is not None or self.command is not None or self.args or self.replicas != 1:
            raise ValueError("send either roles or the short form (spec, command, args, replicas), not both")
        names = [role.name for role in self.roles]
        if len(set(names)) != len(names):
            raise ValueError("two roles have the same name")
        if sum(role.is_main for role in self.roles) > 1:
            raise ValueError("only one role can be the main one")
        return self


class NotebookRequest(Inputs):
    """A notebook server of the caller; `name` is the Hub's server name, "" the default server."""

    name: str = Field(default="", max_length=63, pattern=r"^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)?$")
    spec: str = Field(min_length=1, max_length=63)
    idle_seconds: int | None = Field(
        default=None, ge=60, le=31_536_000, description="Stop it after so long without activity; never unless given."
    )
    labels: Labels = []
    notes: Notes = ""


class WorkloadPatch(Wire):
    """Changes what may change: labels and notes always, the priority while queued."""

    labels: Labels | None = None
    notes: Notes | None = None
    priority: int | None = Field(default=None, ge=-100, le=100)


class Forecast(Wire):
    """When a queued workload is expected to start; seconds from now, null when there is no history to tell from."""

    position: int = Field(description="1 is the next to start.")
    p50_seconds: float | None = None
    p90_seconds: float | None = None


class Replica(Wire):
    """One process of one attempt. `state`: `placed` before it runs, then `running`, `exited` or `lost`."""

    name: str
    attempt: int
    role: str
    index: int
    spec: str
    node: str
    cpu_milli: int
    memory: int
    accelerators: list[int]
    price_micro: int
    state: Literal["placed", "running", "exited", "lost"]
    exit_code: int | None
    signal: int | None
    oom: bool
    started: datetime | None
    ended: datetime | None


class Attempt(Wire):
    """One try. `reason` and `message` tell why it did not succeed."""

    number: int
    phase: Phase
    reason: Reason
    message: str
    exit_code: int | None
    created: datetime
    started: datetime | None
    ended: datetime | None


class WorkloadSummary(Wire):
    """A workload in a list. Times in UTC; `price_micro` per hour for all its replicas, `cost_micro` so far."""

    id: str
    kind: Kind
    name: str
    workspace: str
    creator: str
    phase: Phase
    target: Target
    reason: Reason
    message: str
    hold: str = Field(description="Why an admin does not let it start; empty when none does.")
    priority: int
    labels: list[str]
    spec: str = Field(description="Of the main role.")
    replicas: int
    attempt: int
    price_micro: int
    cost_micro: int
    created: datetime
    started: datetime | None
    finished: datetime | None
    revision: int
    notebook: str = Field(description="The path of the notebook this job runs; empty for all others.")


class Workload(WorkloadSummary):
    """A workload in full. `environment`, `datasets`, … are what its references meant when it was made."""

    request: JobRequest | NotebookRequest
    notes: str
    environment: str
    datasets: list[str]
    algorithm: str
    models: list[str]
    output: str = Field(description="`workspace/name@version` of the model it made, empty so far.")
    output_version: str
    exit_code: int | None = Field(description="Of the main role's first replica in the last attempt.")
    forecast: Forecast | None = Field(description="Set while queued.")
    attempts: list[Attempt]
    members: list[Replica] = Field(description="The replicas of the last attempt.")
    url: str = Field(description="Where a running notebook is reached, relative to the Hub's origin.")


class WorkloadPage(Page[WorkloadSummary]):
    """A page of workloads."""


class WorkloadQuery(PageQuery):
    """Filters of the list; `q` searches names."""

    kind: Kind | None = None
    phase: list[Phase] | None = Field(default=None, max_length=7, description="Keep these; may be given repeatedly.")
    workspace: str | None = Field(default=None, max_length=255)
    creator: str | None = Field(default=None, max_length=255, description="Keep what this user made.")
    label: str | None = Field(default=None, max_length=63)
    everything: bool = Field(default=False, description="Other people's too (admins only).")


class Stop(Wire):
    """Why it is stopped: its owner reads it in the message."""

    reason: Note = ""


class Hold(Wire):
    """Why it may not start for now: its owner reads it in the message."""

    reason: Annotated[Note, StringConstraints(strip_whitespace=True, min_length=1)]


class QueueOrder(Wire):
    """What is to start first, in this order; the rest follows by the rules. None of them: the rules alone."""

    ids: list[Annotated[str, Field(max_length=26)]] = Field(max_length=1000)


class Batch(Wire):
    """Stop or delete many at once."""

    action: Literal["stop", "delete"]
    ids: list[Annotated[str, Field(max_length=26)]] = Field(min_length=1, max_length=500)
    reason: Note = Field(default="", description="Of a stop: shown to the owners.")


class BatchItem(Wire):
    """What became of one of them: `done`, or why not."""

    id: str
    done: bool
    message: str = ""


class BatchResult(Wire):
    """The answers, in the order asked."""

    items: list[BatchItem]


class FreeSpec(Wire):
    """A spec that would start at once, with its price per hour."""

    name: str
    cpu_milli: int
    memory: int
    accelerators: int
    accelerator_type: str
    price_micro: int


class Estimate(Wire):
    """What a request would cost and when it would start. `hours` is how long the balance lasts, null when free."""

    price_micro: int
    balance_micro: int | None
    hours: float | None
    starts_now: bool
    forecast: Forecast
    free_specs: list[FreeSpec]


class EstimateRequest(Wire):
    """Asks for an estimate of a job or a notebook: exactly one of the two."""

    job: JobRequest | None = None
    notebook: NotebookRequest | None = None

    @model_validator(mode="after")
    def _one(self) -> EstimateRequest:
        if (self.job is None) == (self.notebook is None):
            raise ValueError("send either job or notebook")
        return self


class YamlDocument(Wire):
    """A job request as YAML text."""

    yaml: str = Field(max_length=1_000_000)


class QueueItem(Wire):
    """One queued workload the caller may see."""

    id: str
    kind: Kind
    name: str
    workspace: str
    creator: str
    spec: str
    replicas: int
    priority: int
    pool: str = Field(description="Of the main role.")
    hold: str = Field(description="Why an admin does not let it start: it has no place then. Empty when none does.")
    pinned: bool = Field(description="Whether an admin put it at the head.")
    created: datetime
    forecast: Forecast


class Queue(Wire):
    """The queue as the caller sees it: his workloads with their places in it, and what is free now."""

    length: int = Field(description="How many wait, other people's included.")
    items: list[QueueItem]
    free_specs: list[FreeSpec]


class Event(Wire):
    """Something that happened to a workload. `type` is a stable word, `message` a sentence."""

    id: str
    time: datetime
    source: str
    type: str
    message: str
    detail: dict[str, Any]


class EventPage(Page[Event]):
    """A page of events, newest first."""


class LogQuery(Wire):
    """Which bytes of a replica's log; a Range header means the same."""

    attempt: int | None = Field(default=None, ge=1, description="The last one unless given.")
    offset: int = Field(default=0, ge=-(1 << 50), le=1 << 50, description="First byte; negative counts from the end.")
    limit: int | None = Field(default=None, ge=1, le=1 << 50, description="How many bytes; all unless given.")


class FollowQuery(Wire):
    """Where to begin when there is no Last-Event-ID."""

    attempt: int | None = Field(default=None, ge=1, description="The last one unless given.")
    offset: int = Field(default=0, ge=-(1 << 50), le=1 << 50, description="First byte; negative counts from the end.")


class MetricPoint(Wire):
    """One value of one metric; null when it was not a finite number. `time` is when it was logged."""

    id: str
    attempt: int
    name: str
    step: int
    value: float | None
    time: datetime


class MetricPage(Wire):
    """Points in the order they came; `next` is the cursor of what follows, also on the last page."""

    items: list[MetricPoint]
    next: str | None


class MetricQuery(Wire):
    """Which points, oldest first."""

    limit: int = Field(default=1000, ge=1, le=10_000)
    cursor: str | None = Field(default=None, max_length=100)
    name: str | None = Field(default=None, max_length=255)
    attempt: int | None = Field(default=None, ge=1)


class MetricLine(Wire):
    """What `pumpkin.log_metrics(step=3, loss=0.1)` sends: values at one step, `time` in Unix seconds (now)."""

    step: int = Field(default=0, ge=-(2**53), le=2**53)
    time: float | None = Field(default=None, ge=0, le=253_402_300_799)
    values: dict[Annotated[str, StringConstraints(min_length=1, max_length=255)], float | None] = Field(max_length=1000)
    position: int | None = Field(default=None, ge=0, le=2**53, description="Where the line ends in its file, in bytes.")


class MetricLines(Wire):
    """Metrics a running workload sends with its own token.

    Lines of a file that is named (`source`) may be sent again: those up to a position that was taken are passed over.
    """

    lines: list[MetricLine] = Field(max_length=1000)
    source: str = Field(default="", max_length=255)


class AcceleratorSample(Wire):
    """One accelerator: `utilization` 0 to 1, `memory` bytes."""

    index: int
    utilization: float
    memory: int


class UsageSample(Wire):
    """What one replica used: `cpu_milli` thousandths of a core since the sample before, `memory` bytes."""

    replica: str
    attempt: int
    time: datetime
    cpu_milli: int
    memory: int
    accelerators: list[AcceleratorSample]


class UsageSamples(Wire):
    """Samples, oldest first; old ones are thinned to one a minute."""

    items: list[UsageSample]


class UsageQuery(Wire):
    """Which samples."""

    attempt: int | None = Field(default=None, ge=1, description="The last one unless given.")
    replica: str | None = Field(default=None, max_length=80)
    limit: int = Field(default=1000, ge=1, le=10_000, description="The newest so many.")


class GrantRequest(Wire):
    """The spawner asks leave to start `user`'s server. `options` are the spawn's user_options.

    `options.grant` names the workload the platform started it for; else they are a `NotebookRequest` without its
    name.
    """

    user: str = Field(min_length=1, max_length=255)
    server_name: str = Field(default="", max_length=255)
    options: dict[str, Any] = {}


class Grant(Wire):
    """Leave to start a notebook server.

    `queued`: not yet. `ready`: present a claim before `expires`. `running`: reach it at `host`:`port`. `ended`: see
    `message`, `exit_code`. A queued grant's server is started by the platform through the Hub when its turn comes.
    """

    workload: str
    user: str
    server_name: str
    state: Literal["queued", "ready", "running", "ended"]
    position: int | None = None
    expected_seconds: float | None = Field(default=None, description="P50.")
    expected_p90_seconds: float | None = None
    free_specs: list[FreeSpec] = []
    expires: datetime | None = None
    host: str = ""
    port: int | None = None
    exit_code: int | None = None
    reason: Reason = ""
    message: str = ""


class Claim(Wire):
    """How to start the server: argv, variables, and the port it will listen on (chosen by the spawner).

    On a cluster the spawner makes the pod itself and only tells the port; with `wait` false the answer comes at once.
    """

    command: list[Word] = Field(default=[], max_length=4096)
    env: dict[str, str] = {}
    port: int = Field(ge=1, le=65_535)
    cwd: str = Field(default="", max_length=4096)
    wait: bool = Field(default=True, description="Whether to answer only when the server runs, or has ended.")


class Pod(Wire):
    """What the pod of a notebook on a cluster must be; Kubernetes objects in its own spelling.

    `cpu` are cores, `memory` bytes (zero: no limit), and with `extra_resource_limits` both request and limit.
    `node_affinity_required` are nodeSelectorTerms; `secret` names the Secret with the workload's own token, which the
    agents read.
    """

    namespace: str
    pod_name: str
    image: str
    image_pull_policy: str
    image_pull_secrets: list[str] = []
    labels: dict[str, str]
    annotations: dict[str, str]
    scheduler_name: str
    priority_class_name: str = ""
    env: dict[str, str]
    cpu: float
    memory: int
    extra_resource_limits: dict[str, str]
    node_affinity_required: list[dict[str, Any]]
    tolerations: list[dict[str, Any]]
    volumes: list[dict[str, Any]]
    volume_mounts: list[dict[str, Any]]
    init_containers: list[dict[str, Any]]
    pod_security_context: dict[str, Any]
    container_security_context: dict[str, Any]
    working_dir: str = ""
    secret: str = ""
