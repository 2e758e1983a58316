"""What the API answers, as types; made from docs/openapi.json by `make models`: do not edit."""

# ruff: noqa
from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, Field

from pumpkin._answer import Answer


class Accelerator(Answer):
    """
    One accelerator of a node; `index` is the one the driver gives it, `memory` in bytes.
    """

    index: int
    type: str
    memory: int = 0
    uuid: str = ""


class AcceleratorSample(Answer):
    """
    One accelerator: `utilization` 0 to 1, `memory` bytes.
    """

    index: int
    utilization: float
    memory: int


class Algorithm(Answer):
    """
    Code to run. `framework` is free text (`pytorch`, …); `entrypoint` is the command a job offers first.
    """

    id: str
    workspace: str
    name: str
    creator: str
    description: str
    """
    Markdown.
    """
    labels: list[str]
    visibility: Literal["private", "everyone"]
    preset: bool
    """
    Offered to everybody by an admin.
    """
    shared_with: list[str]
    """
    Workspaces it is shared with; shown to its own workspace only.
    """
    may_write: bool
    latest: int | None
    versions: int
    bytes: int
    """
    Bytes of the newest version.
    """
    created: AwareDatetime
    updated: AwareDatetime
    revision: int
    framework: str
    entrypoint: str


class Attempt(Answer):
    """
    One try. `reason` and `message` tell why it did not succeed.
    """

    number: int
    phase: Literal["queued", "preparing", "running", "stopping", "succeeded", "failed", "stopped"]
    reason: Literal[
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
        "idle",
        "grant_expired",
        "server_failed",
        "stopped_by_user",
        "stopped_by_admin",
    ]
    message: str
    exit_code: int | None
    created: AwareDatetime
    started: AwareDatetime | None
    ended: AwareDatetime | None


class AuditLine(Answer):
    """
    One change, or one admin's read of somebody else's data.
    """

    id: str
    time: AwareDatetime
    actor: str
    kind: str
    action: str
    object: str
    owner: str
    status: int
    address: str
    detail: dict[str, Any]


class Balance(Answer):
    """
    What a workspace has, spends and may spend.
    """

    workspace: str
    balance_micro: int
    budget_micro: int | None
    month_spent_micro: int
    burn_micro: int
    accrued_micro: int
    seconds_left: int | None
    currency: str
    revision: int


class BatchItem(Answer):
    """
    What became of one of them: `done`, or why not.
    """

    id: str
    done: bool
    message: str = ""


class BatchResult(Answer):
    """
    The answers, in the order asked.
    """

    items: list[BatchItem]


class Change(Answer):
    """
    One path that differs; sizes in bytes, null where the file is not.
    """

    path: str
    change: Literal["added", "removed", "changed"]
    old_bytes: int | None
    new_bytes: int | None


class Changed(Answer):
    """
    One package whose version differs.
    """

    name: str
    before: str
    after: str


class Dataset(Answer):
    """
    A dataset. `type` is free text: `image`, `text`, `table`, …
    """

    id: str
    workspace: str
    name: str
    creator: str
    description: str
    """
    Markdown.
    """
    labels: list[str]
    visibility: Literal["private", "everyone"]
    preset: bool
    """
    Offered to everybody by an admin.
    """
    shared_with: list[str]
    """
    Workspaces it is shared with; shown to its own workspace only.
    """
    may_write: bool
    latest: int | None
    versions: int
    bytes: int
    """
    Bytes of the newest version.
    """
    created: AwareDatetime
    updated: AwareDatetime
    revision: int
    type: str


class Diff(Answer):
    """
    A page of changes by path, and the totals over all of them.
    """

    added: int
    removed: int
    changed: int
    added_bytes: int
    removed_bytes: int
    items: list[Change]
    next: str | None = None


class EnvironmentVersion(Answer):
    """
    One version in full; `log` is the path of its build log under the API's base.
    """

    id: str
    environment: str
    number: int
    creator: str
    state: Literal["queued", "building", "ready", "failed", "deleted"]
    python_version: str
    kernel: bool
    """
    Whether notebooks can run kernels from it (ipykernel is in its lock).
    """
    bytes: int
    reason: str
    message: str
    created: AwareDatetime
    started: AwareDatetime | None
    finished: AwareDatetime | None
    requirements: list[str]
    lock: str
    packages: dict[str, str]
    digest: str
    prefix: str
    log: str


class Event(Answer):
    """
    Something that happened to a workload. `type` is a stable word, `message` a sentence.
    """

    id: str
    time: AwareDatetime
    source: str
    type: str
    message: str
    detail: dict[str, Any]


class EventPage(Answer):
    """
    A page of events, newest first.
    """

    items: list[Event]
    next: str | None = None


class Forecast(Answer):
    """
    When a queued workload is expected to start; seconds from now, null when there is no history to tell from.
    """

    position: int
    """
    1 is the next to start.
    """
    p50_seconds: float | None = None
    p90_seconds: float | None = None


class FreeSpec(Answer):
    """
    A spec that would start at once, with its price per hour.
    """

    name: str
    cpu_milli: int
    memory: int
    accelerators: int
    accelerator_type: str
    price_micro: int


class Grant(Answer):
    """
    Leave to start a notebook server.

    `queued`: not yet. `ready`: present a claim before `expires`. `running`: reach it at `host`:`port`. `ended`: see
    `message`, `exit_code`. A queued grant's server is started by the platform through the Hub when its turn comes.
    """

    workload: str
    user: str
    server_name: str
    state: Literal["queued", "ready", "running", "ended"]
    position: int | None = None
    expected_seconds: float | None = None
    """
    P50.
    """
    expected_p90_seconds: float | None = None
    free_specs: Annotated[list[FreeSpec], Field(validate_default=True)] = []
    expires: AwareDatetime | None = None
    host: str = ""
    port: int | None = None
    exit_code: int | None = None
    reason: Literal[
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
        "idle",
        "grant_expired",
        "server_failed",
        "stopped_by_user",
        "stopped_by_admin",
    ] = ""
    message: str = ""


class Health(Answer):
    """
    The answer of a replica that serves requests.
    """

    status: Literal["ok"] = "ok"
    version: str = "0.1.0"


class LedgerLine(Answer):
    """
    One line of the ledger. A positive amount adds to the balance; times of use are epoch milliseconds.
    """

    id: str
    time: AwareDatetime
    workspace: str
    kind: Literal["charge", "refund", "recharge", "adjustment", "opening"]
    amount_micro: int
    reference: str | None
    actor: str
    note: str
    workload: str | None
    attempt: int | None
    replica: str | None
    start_ms: int | None
    end_ms: int | None
    spec: str
    price_micro: int | None


class Limit(Answer):
    """
    The limit set for one subject; `*` is the default of its kind.
    """

    running: int | None = None
    """
    Workloads preparing, running or stopping.
    """
    queued: int | None = None
    """
    Workloads waiting.
    """
    accelerators: int | None = None
    """
    Accelerators held.
    """
    storage_bytes: int | None = None
    """
    Bytes kept in versions.
    """
    id: str
    kind: Literal["user", "workspace"]
    subject: str
    revision: int


class LimitValues(Answer):
    """
    How much at once; null takes the default's value, and in the default means no limit.
    """

    running: int | None = None
    """
    Workloads preparing, running or stopping.
    """
    queued: int | None = None
    """
    Workloads waiting.
    """
    accelerators: int | None = None
    """
    Accelerators held.
    """
    storage_bytes: int | None = None
    """
    Bytes kept in versions.
    """


class Lineage(Answer):
    """
    Where a model version comes from: references as they stood when the job ran. Empty where nothing was given.
    """

    job: str = ""
    """
    Id of the job that made it; empty for an uploaded version.
    """
    job_name: str = ""
    attempt: int | None = None
    code: str = ""
    """
    `workspace/name@version` of the algorithm.
    """
    datasets: list[str] = []
    """
    `workspace/name@version` of each dataset.
    """
    models: list[str] = []
    """
    `workspace/name@version` of each model it began from.
    """
    environment: str = ""
    """
    `workspace/name@version`, with the lock's or image's digest.
    """
    parameters: dict[str, Any] = {}
    """
    Command, arguments and variables the job was given.
    """
    metrics: dict[str, float] = {}
    """
    The last value of each metric.
    """
    created: AwareDatetime | None = None


class Member(Answer):
    """
    Who belongs to a workspace.
    """

    user: str
    display_name: str
    role: Literal["owner", "member", "viewer"]
    added: AwareDatetime
    added_by: str


class Members(Answer):
    """
    All members of one workspace; `revision` is the workspace's.
    """

    items: list[Member]
    revision: int


class Membership(Answer):
    """
    A workspace of the caller and the role there.
    """

    workspace: str
    role: Literal["owner", "member", "viewer"]
    personal: bool


class MetricPoint(Answer):
    """
    One value of one metric; null when it was not a finite number. `time` is when it was logged.
    """

    id: str
    attempt: int
    name: str
    step: int
    value: float | None
    time: AwareDatetime


class Missing(Answer):
    """
    The chunks to send; the others are held for this upload until it ends.
    """

    missing: list[str]


class Model(Answer):
    """
    A trained model. `framework` is free text.
    """

    id: str
    workspace: str
    name: str
    creator: str
    description: str
    """
    Markdown.
    """
    labels: list[str]
    visibility: Literal["private", "everyone"]
    preset: bool
    """
    Offered to everybody by an admin.
    """
    shared_with: list[str]
    """
    Workspaces it is shared with; shown to its own workspace only.
    """
    may_write: bool
    latest: int | None
    versions: int
    bytes: int
    """
    Bytes of the newest version.
    """
    created: AwareDatetime
    updated: AwareDatetime
    revision: int
    framework: str


class Node(Answer):
    """
    A machine. `cpu_milli`, `memory`, `accelerators` were found on it; `usable_*` is what workloads may have.
    """

    id: str
    name: str
    cpu_milli: int
    memory: int
    accelerators: list[Accelerator]
    cpu_milli_limit: int | None
    memory_limit: int | None
    accelerators_off: list[int]
    usable_cpu_milli: int
    usable_memory: int
    usable_accelerators: list[int]
    used_cpu_milli: int = 0
    used_memory: int = 0
    used_accelerators: list[int] | None = None
    drained: bool
    drain_reason: str
    alive: bool
    heartbeat: AwareDatetime
    created: AwareDatetime
    revision: int


class NotebookRequest(Answer):
    """
    A notebook server of the caller; `name` is the Hub's server name, "" the default server.
    """

    workspace: str | None = None
    """
    The caller's own unless given.
    """
    environment: str | None = None
    """
    The platform's default unless given.
    """
    datasets: list[str] = []
    algorithm: str | None = None
    models: list[str] = []
    name: str = ""
    spec: str
    idle_seconds: int | None = None
    """
    Stop it after so long without activity; never unless given.
    """
    labels: list[str] = []
    notes: str = ""


class Output(Answer):
    """
    Where the output folder goes when the job succeeds: the next version of a model.
    """

    model: str


class PageAlgorithm(Answer):
    items: list[Algorithm]
    next: str | None = None


class PageAuditLine(Answer):
    items: list[AuditLine]
    next: str | None = None


class PageBalance(Answer):
    items: list[Balance]
    next: str | None = None


class PageDataset(Answer):
    items: list[Dataset]
    next: str | None = None


class PageLedgerLine(Answer):
    items: list[LedgerLine]
    next: str | None = None


class PageLimit(Answer):
    items: list[Limit]
    next: str | None = None


class PageModel(Answer):
    items: list[Model]
    next: str | None = None


class PageNode(Answer):
    items: list[Node]
    next: str | None = None


class Pool(Answer):
    """
    Nodes and specs, and who may use them for what; empty `nodes` or `specs` means all.
    """

    id: str
    name: str
    description: str
    nodes: list[str]
    specs: list[str]
    kinds: list[Literal["job", "notebook"]]
    everyone: bool
    workspaces: list[str]
    users: list[str]
    hub_roles: list[str]
    priority: int
    enabled: bool
    created: AwareDatetime
    revision: int


class Error(Answer):
    field: str
    message: str


class Problem(Answer):
    """
    RFC 9457 problem details.
    """

    type: str
    title: str
    status: int
    detail: str
    """
    One sentence a person can act on.
    """
    reason: str
    """
    A stable word for programs.
    """
    errors: list[Error] | None = None


class QueueItem(Answer):
    """
    One queued workload the caller may see.
    """

    id: str
    kind: Literal["job", "notebook"]
    name: str
    workspace: str
    creator: str
    spec: str
    replicas: int
    priority: int
    created: AwareDatetime
    forecast: Forecast


class ReadChunk(Answer):
    """
    Where a chunk lies inside its object.
    """

    hash: str
    offset: int
    size: int


class ReadObject(Answer):
    """
    An object a version is made of: `GET` it (ranges allowed) from `url` before `expires`.
    """

    id: str
    url: str
    size: int
    expires: AwareDatetime
    chunks: list[ReadChunk]


class Refused(Answer):
    """
    One line that cannot be part of an environment, and why.
    """

    line: str
    why: str


class Replica(Answer):
    """
    One process of one attempt. `state`: `placed` before it runs, then `running`, `exited` or `lost`.
    """

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
    started: AwareDatetime | None
    ended: AwareDatetime | None


class Role(Answer):
    """
    One part of a distributed job: `replicas` processes alike. The main role's end is the job's end.
    """

    name: str
    command: list[str] | str
    args: list[str] = []
    env: dict[str, str] = {}
    spec: str
    replicas: int = 1
    min_available: int | None = None
    """
    How many must be placed and stay alive; all unless given.
    """
    is_main: bool = False


class Spec(Answer):
    """
    A shape to run on: cpu in thousandths of a core, memory in bytes, price per hour in micro-units.
    """

    id: str
    name: str
    description: str
    cpu_milli: int
    memory: int
    accelerators: int
    accelerator_type: str
    price_micro: int
    enabled: bool
    created: AwareDatetime
    revision: int


class StatementLine(Answer):
    """
    What one workload used and cost in the period.
    """

    workload: str
    spec: str
    creator: str
    milliseconds: int
    cost_micro: int


class TreeEntry(Answer):
    """
    A file or folder. Of a folder, `bytes` and `files` count everything below it.
    """

    name: str
    path: str
    type: Literal["file", "folder"]
    bytes: int
    files: int
    mode: int | None = None
    sha256: str | None = None


class Upload(Answer):
    """
    A version on its way. When `state` is `ready`, `number` is its version; when `failed`, `error` says why.
    """

    id: str
    state: Literal["uploading", "verifying", "ready", "failed", "deleted"]
    number: int | None
    creator: str
    created: AwareDatetime
    manifest_received: bool
    files: int
    bytes: int
    verified_bytes: int
    """
    How much of `bytes` the server has verified so far.
    """
    error: str | None = None


class UploadTarget(Answer):
    """
    Where one object goes: `PUT` exactly its size to `url` (relative to the origin of this API) before `expires`.
    """

    id: str
    url: str
    size: int
    expires: AwareDatetime


class UploadTargets(Answer):
    """
    One target for each size asked for, in that order.
    """

    objects: list[UploadTarget]


class UsageItem(Answer):
    """
    What one replica holds right now.
    """

    workload: str
    name: str
    kind: Literal["job", "notebook"]
    workspace: str
    creator: str
    replica: str
    node: str
    spec: str
    cpu_milli: int
    memory: int
    accelerators: list[int]
    since: AwareDatetime | None = None


class UsageSample(Answer):
    """
    What one replica used: `cpu_milli` thousandths of a core since the sample before, `memory` bytes.
    """

    replica: str
    attempt: int
    time: AwareDatetime
    cpu_milli: int
    memory: int
    accelerators: list[AcceleratorSample]


class UsageSamples(Answer):
    """
    Samples, oldest first; old ones are thinned to one a minute.
    """

    items: list[UsageSample]


class User(Answer):
    """
    A user as admins see them.
    """

    id: str
    name: str
    display_name: str
    admin: bool
    roles: list[str]
    frozen: bool
    frozen_reason: str
    frozen_by: str
    synced: bool
    created: AwareDatetime
    last_seen: AwareDatetime
    revision: int


class Version(Answer):
    """
    One version. `number` is null until it is ready; `manifest_hash` is its identity by content.
    """

    id: str
    number: int | None
    state: Literal["uploading", "verifying", "ready", "failed", "deleted"]
    files: int
    bytes: int
    manifest_hash: str | None
    creator: str
    created: AwareDatetime
    committed: AwareDatetime | None


class VersionReference(Answer):
    """
    The version a reference means.
    """

    id: str
    kind: Literal["dataset", "algorithm", "model"]
    asset_id: str
    workspace: str
    name: str
    number: int
    files: int
    bytes: int


class VersionSummary(Answer):
    """
    How one version stands. `reason` and `message` are set when it failed.
    """

    id: str
    environment: str
    number: int
    creator: str
    state: Literal["queued", "building", "ready", "failed", "deleted"]
    python_version: str
    kernel: bool
    """
    Whether notebooks can run kernels from it (ipykernel is in its lock).
    """
    bytes: int
    reason: str
    message: str
    created: AwareDatetime
    started: AwareDatetime | None
    finished: AwareDatetime | None


class WorkloadSummary(Answer):
    """
    A workload in a list. Times in UTC; `price_micro` per hour for all its replicas, `cost_micro` so far.
    """

    id: str
    kind: Literal["job", "notebook"]
    name: str
    workspace: str
    creator: str
    phase: Literal["queued", "preparing", "running", "stopping", "succeeded", "failed", "stopped"]
    target: Literal["run", "stop", "delete"]
    reason: Literal[
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
        "idle",
        "grant_expired",
        "server_failed",
        "stopped_by_user",
        "stopped_by_admin",
    ]
    message: str
    priority: int
    labels: list[str]
    spec: str
    """
    Of the main role.
    """
    replicas: int
    attempt: int
    price_micro: int
    cost_micro: int
    created: AwareDatetime
    started: AwareDatetime | None
    finished: AwareDatetime | None
    revision: int


class Workspace(Answer):
    """
    A workspace; `role` is the caller's there, null for an admin who looks in from outside.
    """

    id: str
    name: str
    description: str
    creator: str
    personal: bool
    role: Literal["owner", "member", "viewer"] | None
    members: int
    created: AwareDatetime
    revision: int


class YamlDocument(Answer):
    """
    A job request as YAML text.
    """

    yaml: str


class Difference(Answer):
    """
    What is installed compared with version `against`.
    """

    against: int
    added: dict[str, str]
    removed: dict[str, str]
    changed: list[Changed]
    refused: list[Refused]


class EffectiveLimits(Answer):
    """
    What holds for the caller and each of their workspaces, defaults filled in; null is no limit.
    """

    user: LimitValues
    workspaces: dict[str, LimitValues]


class Environment(Answer):
    """
    A named environment and the state of its newest version.
    """

    id: str
    name: str
    workspace: str
    creator: str
    description: str
    visibility: Literal["private", "everyone"]
    shared_with: list[str]
    """
    Workspaces it is shared with; shown to its own workspace only.
    """
    preset: bool
    """
    Offered to everybody by an admin.
    """
    kind: Literal["built", "interpreter"]
    may_write: bool
    latest: VersionSummary | None
    revision: int
    created: AwareDatetime
    updated: AwareDatetime


class EnvironmentPage(Answer):
    """
    A page of environments.
    """

    items: list[Environment]
    next: str | None = None


class Estimate(Answer):
    """
    What a request would cost and when it would start. `hours` is how long the balance lasts, null when free.
    """

    price_micro: int
    balance_micro: int | None
    hours: float | None
    starts_now: bool
    forecast: Forecast
    free_specs: list[FreeSpec]


class JobRequest(Answer):
    """
    A job: either the short form (`spec`, `command`) or `roles`.
    """

    workspace: str | None = None
    """
    The caller's own unless given.
    """
    environment: str | None = None
    """
    The platform's default unless given.
    """
    datasets: list[str] = []
    algorithm: str | None = None
    models: list[str] = []
    name: str
    spec: str | None = None
    command: list[str] | str | None = None
    args: list[str] = []
    env: dict[str, str] = {}
    replicas: int = 1
    """
    Of the short form.
    """
    roles: list[Role] | None = None
    retries: int = 0
    backoff_seconds: float = 5
    """
    Before the first retry; doubles each time.
    """
    deadline_seconds: int | None = None
    """
    How long one attempt may run before it is stopped.
    """
    budget_micro: int | None = None
    """
    The most it may cost, retries included.
    """
    priority: int = 0
    output: Output | None = None
    labels: list[str] = []
    notes: str = ""


class Me(Answer):
    """
    The caller: who they are, what they may do, where they belong.
    """

    name: str
    kind: Literal["user", "service", "workload"]
    display_name: str
    admin: bool
    scopes: list[str]
    roles: list[str]
    workspaces: list[Membership]
    revision: int


class MetricPage(Answer):
    """
    Points in the order they came; `next` is the cursor of what follows, also on the last page.
    """

    items: list[MetricPoint]
    next: str | None


class PagePool(Answer):
    items: list[Pool]
    next: str | None = None


class PageReadObject(Answer):
    items: list[ReadObject]
    next: str | None = None


class PageSpec(Answer):
    items: list[Spec]
    next: str | None = None


class PageTreeEntry(Answer):
    items: list[TreeEntry]
    next: str | None = None


class PageUpload(Answer):
    items: list[Upload]
    next: str | None = None


class PageUser(Answer):
    items: list[User]
    next: str | None = None


class PageVersion(Answer):
    items: list[Version]
    next: str | None = None


class PageWorkspace(Answer):
    items: list[Workspace]
    next: str | None = None


class Queue(Answer):
    """
    The queue as the caller sees it: his workloads with their places in it, and what is free now.
    """

    length: int
    """
    How many wait, other people's included.
    """
    items: list[QueueItem]
    free_specs: list[FreeSpec]


class Statement(Answer):
    """
    A workspace's account of a period: opening + received - spent = closing.
    """

    workspace: str
    start: AwareDatetime
    end: AwareDatetime
    opening_micro: int
    received_micro: int
    spent_micro: int
    closing_micro: int
    currency: str
    lines: list[StatementLine]
    lines_left_out: int


class Usage(Answer):
    """
    Who uses what right now.
    """

    items: list[UsageItem]


class VersionPage(Answer):
    """
    A page of versions, without their locks.
    """

    items: list[VersionSummary]
    next: str | None = None


class Workload(Answer):
    """
    A workload in full. `environment`, `datasets`, … are what its references meant when it was made.
    """

    id: str
    kind: Literal["job", "notebook"]
    name: str
    workspace: str
    creator: str
    phase: Literal["queued", "preparing", "running", "stopping", "succeeded", "failed", "stopped"]
    target: Literal["run", "stop", "delete"]
    reason: Literal[
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
        "idle",
        "grant_expired",
        "server_failed",
        "stopped_by_user",
        "stopped_by_admin",
    ]
    message: str
    priority: int
    labels: list[str]
    spec: str
    """
    Of the main role.
    """
    replicas: int
    attempt: int
    price_micro: int
    cost_micro: int
    created: AwareDatetime
    started: AwareDatetime | None
    finished: AwareDatetime | None
    revision: int
    request: JobRequest | NotebookRequest
    notes: str
    environment: str
    datasets: list[str]
    algorithm: str
    models: list[str]
    output: str
    """
    `workspace/name@version` of the model it made, empty so far.
    """
    output_version: str
    exit_code: int | None
    """
    Of the main role's first replica in the last attempt.
    """
    forecast: Forecast | None
    """
    Set while queued.
    """
    attempts: list[Attempt]
    members: list[Replica]
    """
    The replicas of the last attempt.
    """
    url: str
    """
    Where a running notebook is reached, relative to the Hub's origin.
    """


class WorkloadPage(Answer):
    """
    A page of workloads.
    """

    items: list[WorkloadSummary]
    next: str | None = None
