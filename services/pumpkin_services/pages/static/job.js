import { attempt, boot, bytes, copyable, cores, ENDED, get, h, money, perHour, phase, phaseName, post, ran, refresh, say, show, span, t, title, when, date, $ } from "./core.js";
import { curve } from "./chart.js";
import { Log } from "./log.js";

const id = boot.path[0];
const log = new Log($("log"));
const points = new Map();
let workload = null;
let shown = "";

function head() {
  const w = workload;
  const over = ENDED.includes(w.phase);
  const budget = w.request.budget_micro ? ` ${t("of")} ${money(w.request.budget_micro)}` : "";
  const stop = (event) => attempt(() => post(`/workloads/${id}/stop`).then(again), event.target);
  const rerun = (event) => attempt(async () => { location.href = `${boot.base}jobs/${(await post(`/workloads/${id}/rerun`)).id}`; }, event.target);
  const yaml = (event) => attempt(async () => {
    await navigator.clipboard.writeText((await get(`/workloads/jobs/${id}/yaml`)).yaml);
    say(t("Copied the job as YAML."));
  }, event.target);
  show("job-head",
    h("div.title", {}, h("h1", {}, title(w)), phase(w), h("span", {}, w.started ? span(ran(w)) : ""),
      h("span.dim", {}, `${w.workspace} · ${w.replicas > 1 ? `${w.replicas} × ` : ""}${w.spec}`),
      h("span", { title: perHour(w.price_micro) }, w.price_micro ? `${money(w.cost_micro)}${budget}` : t("free of charge")),
      copyable(w.id),
      h("div.actions", {},
        w.url && w.phase === "running" && h("a.button.primary", { href: w.url }, t("Open")),
        !over && w.target === "run" && h("button", { type: "button", onclick: stop }, t("Stop")),
        over && w.kind === "job" && h("button", { type: "button", onclick: rerun }, t("Rerun")),
        w.kind === "job" && h("button", { type: "button", onclick: yaml }, "YAML"))),
    timeline());
  document.title = `${title(w)} · ${phaseName(w.phase)} · Pumpkin`;
  const failed = w.phase === "failed" || (w.phase === "stopped" && w.message);
  $("why").hidden = !failed;
  if (failed) show("why", h("p", {}, w.message), w.exit_code !== null && h("span.dim", {}, t("Exit code {code}", { code: w.exit_code })), w.attempts.length > 1 && h("span.dim", {}, ` · ${t("{n} attempts", { n: w.attempts.length })}`));
}

function timeline() {
  const marks = [["queued", workload.created]];
  const attempt_ = workload.attempts.at(-1);
  if (attempt_) marks.push(["preparing", attempt_.created]);
  if (attempt_?.started || workload.started) marks.push(["running", attempt_?.started || workload.started]);
  if (workload.finished) marks.push([workload.phase, workload.finished]);
  else if (!marks.some(([name]) => name === workload.phase)) marks.push([workload.phase, new Date().toISOString()]);
  const item = ([name, at], index) => {
    const next = marks[index + 1]?.[1];
    const lasted = next ? (date(next) - date(at)) / 1000 : workload.finished ? null : (Date.now() - date(at)) / 1000;
    return h(`li${index === marks.length - 1 ? ".now" : ""}`, { title: date(at).toLocaleString(boot.language) }, `${phaseName(name)}${lasted === null ? "" : ` ${span(lasted)}`}`);
  };
  const forecast = workload.phase === "queued" && workload.forecast && h("li", {}, h("a", { href: `${boot.base}queue/${id}` }, t("number {n} in the queue", { n: workload.forecast.position })));
  return h("ol.timeline", {}, marks.map(item), forecast);
}

function box(module, reference) {
  const [, workspace, name, version] = /^(.*)\/([^/@]+)(?:@(\d+))?$/.exec(reference) || [];
  const kind = { datasets: t("dataset"), algorithms: t("algorithm"), models: t("model") }[module];
  return h("a.box", { href: `${boot.base}${module}/${encodeURIComponent(workspace)}/${name}${version ? `?version=${version}` : ""}` }, h("small", {}, kind), `${name}${version ? ` v${version}` : ""}`);
}

function lineage() {
  const inputs = [...workload.datasets.map((r) => box("datasets", r)), workload.algorithm && box("algorithms", workload.algorithm), ...workload.models.map((r) => box("models", r))].filter(Boolean);
  const arrow = () => h("span.arrow", { "aria-hidden": "true" }, "→");
  show("lineage",
    inputs.length ? [h("div.group", {}, inputs), arrow()] : null,
    h("div.box", {}, h("small", {}, workload.environment || t("default")), title(workload)),
    workload.output ? [arrow(), box("models", workload.output)] : null);
}

function replicas() {
  const names = workload.members.map((member) => member.name);
  const wanted = `${workload.attempt}:${names.join()}`;
  if (wanted === shown || !names.length) return;
  shown = wanted;
  show("replica", names.map((name) => h("option", { value: name }, name)));
  $("replica").hidden = names.length < 2;
  openLog();
}

function openLog() {
  const path = `/workloads/${id}/logs/${encodeURIComponent($("replica").value)}`;
  log.open(`${path}/stream`);
  $("whole").href = `${boot.base}api/v1${path}`;
  $("whole").download = `${workload.name}-${$("replica").value}.log`;
}

async function usage() {
  const { items } = await get(`/workloads/${id}/usage?limit=200`);
  if (!items.length) return show("usage", h("p.dim", {}, t("Measured while it runs.")));
  const last = items.at(-1);
  const rows = [["CPU", cores(last.cpu_milli)], [t("Memory"), bytes(last.memory)], [t("Memory, at most"), bytes(items.reduce((most, item) => Math.max(most, item.memory), 0))]];
  for (const gpu of last.accelerators) rows.push([`${t("Accelerator")} ${gpu.index}`, `${Math.round(gpu.utilization * 100)} % · ${bytes(gpu.memory)}`]);
  return show("usage", h("dl.facts", {}, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)])));
}

let cursor = "";
async function curves() {
  let fresh = 0;
  for (;;) {
    const page = await get(`/workloads/${id}/metrics?limit=5000${cursor && `&cursor=${encodeURIComponent(cursor)}`}`);
    for (const point of page.items) {
      if (!points.has(point.name)) points.set(point.name, []);
      points.get(point.name).push(point);
    }
    fresh += page.items.length;
    cursor = page.next || cursor;
    if (page.items.length < 5000) break;
  }
  if (fresh) show("curves", [...points].map(([name, values]) => curve(name, values.sort((a, b) => a.step - b.step))));
  else if (!points.size) show("curves", h("p.dim", {}, t("Values logged with pumpkin.log_metrics(step=…, loss=…) are drawn here.")));
}

async function events() {
  const { items } = await get(`/workloads/${id}/events?limit=200`);
  show("events", items.map((one) => h("li", {}, when(one.time), h("span", { title: `${one.source}: ${one.type}` }, one.message))));
}

const again = refresh(2, async () => {
  const over = workload && ENDED.includes(workload.phase);
  workload = await get(`/workloads/${id}`);
  head();
  lineage();
  replicas();
  if (!over) await Promise.all([usage(), curves(), events()]);
});

$("replica").addEventListener("change", openLog);
$("follow").addEventListener("change", (event) => { log.follow = event.target.checked; });
$("find").addEventListener("input", (event) => log.search(event.target.value));
$("log").addEventListener("wheel", () => {
  const at = $("log");
  log.follow = $("follow").checked = at.scrollTop + at.clientHeight > at.scrollHeight - 30;
}, { passive: true });
