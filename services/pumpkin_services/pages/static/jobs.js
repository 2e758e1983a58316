import { attempt, boot, get, h, money, perHour, phase, post, ran, refresh, show, span, t, when } from "./core.js";
import { table } from "./table.js";

let count = 100;
const open = (job) => `${boot.base}jobs/${job.id}`;
const act = (verb, job) => (event) => attempt(async () => {
  const made = await post(`/workloads/${job.id}/${verb}`);
  if (verb === "rerun") location.href = `${boot.base}jobs/${made.id}`;
  else await again();
}, event.target);

const jobs = table("jobs", [
  { title: t("Name"), wide: true, sort: (j) => j.name, cell: (j) => h("a", { href: open(j) }, j.name) },
  { title: t("State"), sort: (j) => j.phase, cell: (j) => phase(j) },
  { title: t("Why"), wide: true, narrow: false, sort: (j) => j.message, cell: (j) => h("span.dim", { title: j.message }, j.phase === "succeeded" ? "" : j.message) },
  { title: t("Spec"), narrow: false, sort: (j) => j.spec, cell: (j) => (j.replicas > 1 ? `${j.replicas} × ${j.spec}` : j.spec) },
  { title: t("Workspace"), narrow: false, sort: (j) => j.workspace, cell: (j) => j.workspace },
  { title: t("Ran"), num: true, narrow: false, sort: ran, cell: (j) => (j.started ? span(ran(j)) : "") },
  { title: t("Cost"), num: true, narrow: false, sort: (j) => j.cost_micro, cell: (j) => h("span", { title: perHour(j.price_micro) }, j.price_micro ? money(j.cost_micro) : t("no charge")) },
  { title: t("Submitted"), num: true, narrow: false, sort: (j) => j.created, cell: (j) => when(j.created) },
  { title: "", num: true, cell: (j) => (["succeeded", "failed", "stopped"].includes(j.phase)
    ? h("button", { type: "button", onclick: act("rerun", j) }, t("Rerun"))
    : j.target === "run" && h("button", { type: "button", onclick: act("stop", j) }, t("Stop"))) },
], {
  key: (j) => j.id, open, filter: (j) => [j.name, j.phase, j.spec, j.workspace, j.message, ...j.labels].join(" "),
  empty: t("A job runs a command on a spec, with your data, and keeps what it makes as a model."),
});

const again = refresh(4, async () => {
  const page = await get(`/workloads?kind=job&limit=${count}`);
  jobs(page.items, { onMore: page.next && count < 500 ? () => { count = Math.min(count + 100, 500); again(); } : null });
});
