"""What the API answers, as types; made from docs/openapi.json by `make models`: do not edit."""

# ruff: noqa
from __future__ import annotations

from datetime import date
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


class AcceleratorLoad(Answer):
    """
    One accelerator that is held: `utilization` 0 to 1, `memory` bytes.
    """

    index: int
    utilization: float
    memory: int


class AcceleratorSample(Answer):
    """
    One accelerator: `utilization` 0 to 1, `memory` bytes.
    """

    index: int
    utilization: float
    memory: int


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
        "reclaimed",
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


class CellResult(Answer):
    """
    What became of one cell. `revision` grows with every change of any cell of the job.
    """

    cell: str
    position: int
    """
    Among the document's cells, from 0.
    """
    revision: int
    state: Literal["waiting", "running", "done", "failed", "skipped"]
    execution_count: int | None
    outputs: list[dict[str, Any]]
    source_hash: str
    """
    Hex SHA-256 of the UTF-8 of the source that was sent.
    """
    started: AwareDatetime | None
    finished: AwareDatetime | None


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


class CheckedRequirements(Answer):
    """
    What would be built: the lines in their normal form, without comments.
    """

    requirements: list[str]


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


class Fate(Answer):
    """
    A version the rule does not keep, and why it stays all the same (null: it goes).
    """

    number: int
    bytes: int
    committed: AwareDatetime | None
    stays: Literal["in_use", "lineage"] | None
    """
    `in_use`: a workload that waits or runs holds it; `lineage`: a model was made from it.
    """


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
        "reclaimed",
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


class HubLight(Answer):
    """
    The Hub, and the runtime that starts what runs here.
    """

    state: Literal["ok", "slow", "down"]
    milliseconds: float | None = None
    error: str = ""
    version: str = ""
    runtime_milliseconds: float | None = None


class Import(Answer):
    """
    A version on its way from another server. When `state` is `ready`, `number` is its version.

    `fetched` and `total` are bytes, of the archive while it is unpacked; `total` is null when the server does not tell.
    `commit` is what `ref` meant.
    """

    id: str
    state: Literal["waiting", "fetching", "unpacking", "ready", "failed"]
    url: str
    """
    Without its query, which may hold a secret.
    """
    format: Literal["zip", "tar", "git", "file", "s3"]
    ref: str
    commit: str | None
    fetched: int
    total: int | None
    number: int | None
    error: str | None
    creator: str
    created: AwareDatetime
    finished: AwareDatetime | None


class JobGlance(Answer):
    """
    A job in a few words. `values`: the newest of its main metric `metric`, oldest first.
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
        "reclaimed",
        "idle",
        "grant_expired",
        "server_failed",
        "stopped_by_user",
        "stopped_by_admin",
    ]
    message: str
    hold: str
    """
    Why an admin does not let it start; empty when none does.
    """
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
    notebook: str
    """
    The path of the notebook this job runs; empty for all others.
    """
    running: int
    """
    How many of its replicas run.
    """
    metric: str
    """
    Empty when it has logged none.
    """
    values: list[float]
    forecast: Forecast | None
    """
    Set while queued.
    """


class LedgerLine(Answer):
    """
    One line of the ledger. A positive amount adds to the balance; times of use are epoch milliseconds.
    """

    id: str
    time: AwareDatetime
    workspace: str
    kind: Literal["charge", "refund", "storage", "recharge", "adjustment", "opening"]
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
    bytes: int | None


class Light(Answer):
    """
    One part: `milliseconds` is what asking it took, `error` why it is down.
    """

    state: Literal["ok", "slow", "down"]
    milliseconds: float | None = None
    error: str = ""


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


class NodeLoad(Answer):
    """
    What a node's workloads used at one moment, and what they held: cpu in thousandths of a core, memory in bytes.
    """

    node: str
    time: AwareDatetime
    cpu_milli: int
    memory: int
    held_cpu_milli: int
    held_memory: int
    accelerators: list[AcceleratorLoad]


class NodeLoads(Answer):
    """
    What a node's workloads used, oldest first.
    """

    items: list[NodeLoad]


class NotebookDocument(Answer):
    """
    An executed notebook; `metadata.pumpkin` has its `job`, `path` and the job's `phase`.
    """

    nbformat: int
    nbformat_minor: int
    metadata: dict[str, Any]
    cells: list[dict[str, Any]]


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


class NotebookRun(Answer):
    """
    A notebook that a job runs: the whole of it, or some of its cells.
    """

    path: str
    """
    Of the notebook, relative to the home.
    """
    content: dict[str, Any] | None = None
    """
    In format 4.5; outputs are dropped. Needed to submit; a workload shows itself without it.
    """
    cells: list[str] | None = None
    """
    Ids of the cells to run; all unless given.
    """
    parameters: dict[str, Any] = {}
    """
    Variables set by a cell behind the one tagged `parameters`, or before all others.
    """


class NotebookRunSummary(Answer):
    """
    One of the caller's own jobs that run a notebook.
    """

    id: str
    name: str
    path: str
    phase: Literal["queued", "preparing", "running", "stopping", "succeeded", "failed", "stopped"]
    landed: bool
    """
    Whether its results are in the notebook.
    """
    created: AwareDatetime
    finished: AwareDatetime | None


class OneTimePassword(Answer):
    """
    Good for choosing a new password at the log-in page, once; shown only now.
    """

    one_time_password: str


class Output(Answer):
    """
    Where the output folder goes when the job succeeds: the next version of a model.
    """

    model: str


class PageAuditLine(Answer):
    items: list[AuditLine]
    next: str | None = None


class PageBalance(Answer):
    items: list[Balance]
    next: str | None = None


class PageImport(Answer):
    items: list[Import]
    next: str | None = None


class PageLedgerLine(Answer):
    items: list[LedgerLine]
    next: str | None = None


class PageLimit(Answer):
    items: list[Limit]
    next: str | None = None


class PageNode(Answer):
    items: list[Node]
    next: str | None = None


class PipelineLight(Answer):
    """
    The pipeline, as the database tells: seconds since it looked at everything, and what was asked of it since.
    """

    state: Literal["ok", "slow", "down"]
    milliseconds: float | None = None
    error: str = ""
    passed_seconds: float | None = None
    unhandled: int = 0
    oldest_seconds: float | None = None


class Pod(Answer):
    """
    What the pod of a notebook on a cluster must be; Kubernetes objects in its own spelling.

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
    guarantee_percent: int
    deserved_percent: int
    reclaimable: bool
    parent: str
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
    pool: str
    """
    Of the main role.
    """
    hold: str
    """
    Why an admin does not let it start: it has no place then. Empty when none does.
    """
    pinned: bool
    """
    Whether an admin put it at the head.
    """
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


class RetentionPreview(Answer):
    """
    What a rule would remove now. Data that other versions share is not freed with it.
    """

    removed: int
    removed_bytes: int
    staying: int
    items: list[Fate]
    """
    What the rule does not keep, newest first; 500 at most.
    """


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


class SpentDay(Answer):
    """
    What one member's workloads, or what is kept, cost on one day (UTC).
    """

    day: date
    kind: Literal["workload", "storage"]
    creator: str
    """
    Empty for storage, which nobody started.
    """
    cost_micro: int


class StatementLine(Answer):
    """
    What one workload used and cost in the period, or what keeping data did.
    """

    kind: Literal["workload", "storage"]
    workload: str | None
    spec: str
    creator: str
    milliseconds: int
    cost_micro: int


class StoreLight(Answer):
    """
    The object store: a small object was written, read and removed. Bytes free, null where nobody can tell.
    """

    state: Literal["ok", "slow", "down"]
    milliseconds: float | None = None
    error: str = ""
    free_bytes: int | None = None
    total_bytes: int | None = None


class Stored(Answer):
    """
    What one workspace keeps. `bytes` is what counts against its limit: what versions share counts once.
    """

    workspace: str
    bytes: int
    versions: int
    limit_bytes: int | None
    """
    Null: no limit.
    """
    price_micro: int
    """
    Per GiB and day (UTC), in millionths of the currency unit.
    """
    currency: str


class StoredShare(Answer):
    """
    The part of a workspace's bytes that one person sent.
    """

    creator: str
    bytes: int


class TakenDown(Answer):
    """
    Since when, by whom and why it is hidden from everybody but its workspace.
    """

    time: AwareDatetime
    by: str
    reason: str


class Times(Answer):
    """
    The next five times, in UTC.
    """

    times: list[AwareDatetime]


class Token(Answer):
    """
    One of the caller's tokens. The secret is shown once, when it is made.
    """

    id: str
    note: str
    scopes: list[str]
    everything: bool
    created: AwareDatetime
    last_used: AwareDatetime | None
    expires: AwareDatetime | None
    current: bool


class TokenMade(Answer):
    """
    A token just made.
    """

    id: str
    note: str
    scopes: list[str]
    everything: bool
    created: AwareDatetime
    last_used: AwareDatetime | None
    expires: AwareDatetime | None
    current: bool
    token: str


class Tokens(Answer):
    """
    The caller's tokens, newest first; those of log-ins and of notebook servers are left out.
    """

    items: list[Token]


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
    headers: dict[str, str]
    """
    What the request must carry.
    """
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
    busy: AwareDatetime | None = None
    """
    When it was last seen to use what it holds.
    """


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
    last_seen: AwareDatetime | None
    revision: int


class UserCreated(Answer):
    """
    A user just made, and what to hand them.
    """

    user: User
    one_time_password: str | None


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
        "reclaimed",
        "idle",
        "grant_expired",
        "server_failed",
        "stopped_by_user",
        "stopped_by_admin",
    ]
    message: str
    hold: str
    """
    Why an admin does not let it start; empty when none does.
    """
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
    notebook: str
    """
    The path of the notebook this job runs; empty for all others.
    """


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


class WorkspaceTotal(Answer):
    """
    What one workspace received, used and spent in a period.
    """

    workspace: str
    received_micro: int
    spent_micro: int
    storage_micro: int
    milliseconds: int


class YamlDocument(Answer):
    """
    A job request as YAML text.
    """

    yaml: str


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
    taken_down: TakenDown | None
    """
    Set while an admin hides it from all but its workspace.
    """
    keep_last: int | None
    """
    Its retention rule: how many of the newest versions are kept.
    """
    keep_days: int | None
    """
    And for how many days others are; both null keep all.
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


class CellPage(Answer):
    """
    Cells in the order they changed; `next` is the revision to ask on `after`, also on the last page.
    """

    items: list[CellResult]
    next: int


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
    taken_down: TakenDown | None
    """
    Set while an admin hides it from all but its workspace.
    """
    keep_last: int | None
    """
    Its retention rule: how many of the newest versions are kept.
    """
    keep_days: int | None
    """
    And for how many days others are; both null keep all.
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
    taken_down: TakenDown | None
    """
    Set while an admin hides it from all but its workspace.
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


class Glance(Answer):
    """
    The newest jobs: those that run, then those that wait, in the order they start in, then those that ended.
    """

    running: int
    """
    How many run, or are about to or about to end; more than are listed perhaps.
    """
    queued: int
    items: list[JobGlance]


class JobRequest(Answer):
    """
    A job: the short form (`spec`, `command`), `roles`, or a `notebook` on one `spec`.
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
    notebook: NotebookRun | None = None
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
    taken_down: TakenDown | None
    """
    Set while an admin hides it from all but its workspace.
    """
    keep_last: int | None
    """
    Its retention rule: how many of the newest versions are kept.
    """
    keep_days: int | None
    """
    And for how many days others are; both null keep all.
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


class NotebookRunPage(Answer):
    """
    A page of them, newest first.
    """

    items: list[NotebookRunSummary]
    next: str | None = None


class PageAlgorithm(Answer):
    items: list[Algorithm]
    next: str | None = None


class PageDataset(Answer):
    items: list[Dataset]
    next: str | None = None


class PageModel(Answer):
    items: list[Model]
    next: str | None = None


class PagePool(Answer):
    items: list[Pool]
    next: str | None = None


class PageReadObject(Answer):
    items: list[ReadObject]
    next: str | None = None


class PageSpec(Answer):
    items: list[Spec]
    next: str | None = None


class PageStored(Answer):
    items: list[Stored]
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


class PlatformHealth(Answer):
    """
    The four lights.
    """

    database: Light
    store: StoreLight
    pipeline: PipelineLight
    hub: HubLight


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


class ScheduleRun(Answer):
    """
    What one time came to: a job was `submitted`, or that `failed`, or was `skipped`; or times were `missed`.

    `due` is null for a run `asked_by` somebody, and for a line about missed times. `workload` is null where no job was
    made, or where it has been deleted since.
    """

    id: str
    due: AwareDatetime | None
    asked_by: str
    outcome: Literal["submitted", "failed", "skipped", "missed"]
    message: str
    created: AwareDatetime
    workload: WorkloadSummary | None


class ScheduleRunPage(Answer):
    """
    A page of a schedule's runs, newest first.
    """

    items: list[ScheduleRun]
    next: str | None = None


class ScheduleSummary(Answer):
    """
    A schedule in a list. `message` tells why its last time brought no job, or what it missed.
    """

    id: str
    name: str
    workspace: str
    creator: str
    runs_as: str
    """
    In whose name it submits: who last said what or when it runs.
    """
    cron: str
    timezone: str
    enabled: bool
    overlap: Literal["skip", "queue"]
    last_run: AwareDatetime | None
    next_run: AwareDatetime | None
    """
    Null while it is paused.
    """
    message: str
    last: ScheduleRun | None
    """
    The last run.
    """
    created: AwareDatetime
    revision: int


class Spending(Answer):
    """
    What a workspace spent in a period; days and members that spent nothing are left out.
    """

    workspace: str
    start: AwareDatetime
    end: AwareDatetime
    currency: str
    spent_micro: int
    items: list[SpentDay]
    """
    Oldest first.
    """


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


class StoredDetail(Answer):
    """
    What one workspace keeps, and who sent it.
    """

    workspace: str
    bytes: int
    versions: int
    limit_bytes: int | None
    """
    Null: no limit.
    """
    price_micro: int
    """
    Per GiB and day (UTC), in millionths of the currency unit.
    """
    currency: str
    people: list[StoredShare]
    """
    The most first.
    """


class Totals(Answer):
    """
    What every workspace received and spent in a period.
    """

    start: AwareDatetime
    end: AwareDatetime
    received_micro: int
    spent_micro: int
    storage_micro: int
    milliseconds: int
    currency: str
    items: list[WorkspaceTotal]
    left_out: int


class Usage(Answer):
    """
    Who uses what right now, and what each node's workloads were last seen to use.
    """

    items: list[UsageItem]
    nodes: list[NodeLoad]


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
        "reclaimed",
        "idle",
        "grant_expired",
        "server_failed",
        "stopped_by_user",
        "stopped_by_admin",
    ]
    message: str
    hold: str
    """
    Why an admin does not let it start; empty when none does.
    """
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
    notebook: str
    """
    The path of the notebook this job runs; empty for all others.
    """
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


class Schedule(Answer):
    """
    A schedule in full.
    """

    id: str
    name: str
    workspace: str
    creator: str
    runs_as: str
    """
    In whose name it submits: who last said what or when it runs.
    """
    cron: str
    timezone: str
    enabled: bool
    overlap: Literal["skip", "queue"]
    last_run: AwareDatetime | None
    next_run: AwareDatetime | None
    """
    Null while it is paused.
    """
    message: str
    last: ScheduleRun | None
    """
    The last run.
    """
    created: AwareDatetime
    revision: int
    request: JobRequest
    """
    Without the document of its notebook, if it runs one.
    """
    upcoming: list[AwareDatetime]
    """
    The next five times; none while it is paused.
    """


class SchedulePage(Answer):
    """
    A page of schedules.
    """

    items: list[ScheduleSummary]
    next: str | None = None
