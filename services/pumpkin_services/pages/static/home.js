import { attempt, boot, bytes, get, h, money, perHour, phase, post, ran, references, refresh, show, span, t, title, $ } from "./core.js";
import { cards } from "./cards.js";
import { table } from "./table.js";

const OPEN = ["queued", "preparing", "running", "stopping"].map((name) => `phase=${name}`).join("&");
const place = (workload) => `${boot.base}${workload.kind === "notebook" && workload.phase !== "running" ? "queue" : "jobs"}/${workload.id}`;

const active = table("active", [
  { title: t("Name"), wide: true, sort: (w) => w.name, cell: (w) => h("a", { href: place(w) }, title(w)) },
  { title: t("Kind"), narrow: false, sort: (w) => w.kind, cell: (w) => (w.kind === "notebook" ? t("notebook") : t("job")) },
  { title: t("State"), sort: (w) => w.phase, cell: (w) => phase(w) },
  { title: t("Spec"), narrow: false, sort: (w) => w.spec, cell: (w) => (w.replicas > 1 ? `${w.replicas} × ${w.spec}` : w.spec) },
  { title: t("Ran"), num: true, narrow: false, sort: ran, cell: (w) => (w.started ? span(ran(w)) : "") },
  { title: t("Cost"), num: true, sort: (w) => w.cost_micro, cell: (w) => h("span", { title: perHour(w.price_micro) }, w.price_micro ? money(w.cost_micro) : t("no charge")) },
  { title: "", num: true, cell: actions },
], { key: (w) => w.id, open: place, empty: t("Nothing runs or waits. Start a notebook below, or submit a job.") });

function actions(workload) {
  const open = workload.kind === "notebook" && workload.phase === "running" && workload.url;
  const stop = (event) => attempt(() => post(`/workloads/${workload.id}/stop`).then(again), event.target);
  return [open && h("a.button", { href: workload.url }, t("Open")), " ", workload.target === "run" && h("button", { type: "button", onclick: stop }, t("Stop"))];
}

/** The list has no addresses of notebooks: those that run are asked for one by one, once. */
const urls = new Map();
async function withUrl(workload) {
  if (workload.kind !== "notebook" || workload.phase !== "running") return workload;
  if (!urls.get(workload.id)) urls.set(workload.id, (await get(`/workloads/${workload.id}`)).url);
  return { ...workload, url: urls.get(workload.id) };
}

const again = refresh(4, async () => {
  const [page, specs, queue, balances] = await Promise.all([
    get(`/workloads?creator=${encodeURIComponent(boot.user)}&limit=100&${OPEN}`),
    get("/resources/specs?kind=notebook&limit=200"),
    get("/workloads/queue"),
    get("/billing/balances"),
  ]);
  active(await Promise.all(page.items.map(withUrl)));
  cards("specs", specs.items, queue.free_specs);
  meter(balances.items, page.items);
});

function meter(balances, workloads) {
  const mine = balances.filter((balance) => balance.workspace === boot.user || balance.burn_micro || balance.balance_micro);
  const running = workloads.filter((workload) => workload.phase === "running").length;
  const rows = [[t("Running"), String(running)], [t("Waiting"), String(workloads.filter((workload) => workload.phase === "queued").length)]];
  for (const balance of mine.slice(0, 4)) {
    if (mine.length > 1) rows.push([h("b", {}, balance.workspace), ""]);
    rows.push([t("Balance"), money(balance.balance_micro)]);
    if (balance.burn_micro) rows.push([t("Spending"), perHour(balance.burn_micro)]);
    if (balance.seconds_left !== null) rows.push([t("Lasts"), span(balance.seconds_left)]);
    rows.push([t("This month"), money(balance.month_spent_micro)]);
  }
  show("meter", h("dl", {}, rows.map(([name, value]) => [h("dt", {}, name), h("dd", {}, value)]))).classList.add("meter");
}

async function newest(module) {
  const page = await get(`/${module}?limit=6`);
  const one = (asset) => h("li", {}, h("a", { href: `${boot.base}${module}/${encodeURIComponent(asset.workspace)}/${asset.name}`, title: `${asset.workspace}/${asset.name}` }, asset.name),
    h("span.dim", {}, asset.latest ? `v${asset.latest}` : "–"), h("span.num.dim", {}, asset.latest ? bytes(asset.bytes) : ""));
  show(module, page.items.length ? h("ul.list", {}, page.items.map(one)) : h("p.empty", {}, t("None yet."), h("a.button", { href: `${boot.base}${module}` }, t("Add"))));
}
refresh(30, () => Promise.all([newest("datasets"), newest("models")]));

get("/images?limit=200").then((page) => {
  for (const item of page.items) $("f-environment").append(h("option", { value: `${item.workspace}/${item.name}` }, item.name));
});

$("start-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const form = new FormData(event.target);
  const request = { name: form.get("name").trim(), spec: form.get("spec"), datasets: references(form.get("datasets")), models: references(form.get("models")) };
  for (const name of ["environment", "algorithm"]) if (form.get(name).trim()) request[name] = form.get(name).trim();
  if (form.get("idle_seconds")) request.idle_seconds = Number(form.get("idle_seconds"));
  attempt(async () => {
    const made = await post("/workloads/notebooks", request);
    location.href = `${boot.base}queue/${made.id}`;
  }, event.submitter);
});
