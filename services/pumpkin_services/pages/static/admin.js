import { about, api, attempt, boot, bytes, cores, get, h, money, perHour, post, refresh, show, t, title, when } from "./core.js";
import { shape } from "./cards.js";
import { table } from "./table.js";

const link = (item, id) => h("a", { href: `${boot.base}jobs/${id}` }, title(item));
const stop = (id) => h("button", { type: "button", onclick: (event) => attempt(() => post(`/workloads/${id}/stop`).then(again), event.target) }, t("Stop"));

function gauge(name, used, all, text) {
  return [h("span", {}, name), h("meter", { min: "0", max: String(all || 1), value: String(used), title: text }), h("small", {}, text)];
}

function node(one) {
  const cell = (gpu) => {
    const off = !one.usable_accelerators.includes(gpu.index);
    const busy = one.used_accelerators.includes(gpu.index);
    const state = off ? t("off") : busy ? t("busy") : t("free");
    return h(`span.cell${off ? ".off" : busy ? ".busy" : ""}`, { title: `${gpu.type} ${gpu.index}: ${state}` });
  };
  const state = !one.alive ? h("span.bad", {}, t("down")) : one.drained ? h("span.taken", { title: one.drain_reason }, t("drained")) : h("span.free", {}, t("up"));
  const turn = (event) => attempt(() => post(`/resources/nodes/${encodeURIComponent(one.name)}/${one.drained ? "undrain" : "drain"}`, one.drained ? undefined : {}).then(again), event.target);
  return h("div.node", {}, h("div", {}, h("b", {}, one.name), " ", state, h("div.dim", {}, when(one.heartbeat))),
    h("div.cells", {}, one.accelerators.length ? one.accelerators.map(cell) : h("span.dim", {}, t("no accelerators"))),
    h("div.gauge", {}, gauge("CPU", one.used_cpu_milli, one.usable_cpu_milli, `${cores(one.used_cpu_milli)} / ${cores(one.usable_cpu_milli)}`)),
    h("div.gauge", {}, gauge(t("Mem."), one.used_memory, one.usable_memory, `${bytes(one.used_memory)} / ${bytes(one.usable_memory)}`)),
    h("button", { type: "button", onclick: turn }, one.drained ? t("Undrain") : t("Drain")));
}

const running = table("running", [
  { title: t("Name"), wide: true, sort: (u) => u.name, cell: (u) => link(u, u.workload) },
  { title: t("User"), sort: (u) => u.creator, cell: (u) => u.creator },
  { title: t("Holds"), narrow: false, cell: (u) => [cores(u.cpu_milli), bytes(u.memory), u.accelerators.length && `${u.accelerators.length} ${t("accelerators")}`].filter(Boolean).join(" · ") },
  { title: t("Since"), num: true, sort: (u) => u.since || "", cell: (u) => when(u.since) },
  { title: "", num: true, cell: (u) => stop(u.workload) },
], { key: (u) => u.workload + u.replica, filter: (u) => `${u.name} ${u.creator} ${u.workspace}`, empty: t("Nothing runs.") });

const queue = table("queue", [
  { title: "#", num: true, sort: (q) => q.forecast.position, cell: (q) => q.forecast.position },
  { title: t("Name"), wide: true, sort: (q) => q.name, cell: (q) => link(q, q.id) },
  { title: t("User"), sort: (q) => q.creator, cell: (q) => q.creator },
  { title: t("Spec"), sort: (q) => q.spec, cell: (q) => (q.replicas > 1 ? `${q.replicas} × ${q.spec}` : q.spec) },
  { title: t("Waits since"), num: true, sort: (q) => q.created, cell: (q) => when(q.created) },
  { title: t("Starts"), num: true, narrow: false, cell: (q) => (q.forecast.p50_seconds === null ? "–" : about(q.forecast.p50_seconds)) },
  { title: "", num: true, cell: (q) => stop(q.id) },
], { key: (q) => q.id, filter: (q) => `${q.name} ${q.creator} ${q.spec}`, empty: t("Nobody waits.") });

const users = table("users", [
  { title: t("Name"), sort: (u) => u.name, cell: (u) => [u.name, " ", u.admin && h("span.tag", {}, t("admin"))] },
  { title: t("Balance"), num: true, sort: (u) => u.balance, cell: (u) => (u.balance === null ? "–" : money(u.balance)) },
  { title: t("Seen"), num: true, narrow: false, sort: (u) => u.last_seen, cell: (u) => when(u.last_seen) },
  { title: t("State"), sort: (u) => u.frozen, cell: (u) => (u.frozen ? h("span.bad", { title: u.frozen_reason }, t("frozen")) : "") },
  { title: "", num: true, cell: (u) => [h("button", { type: "button", onclick: () => recharge(u) }, t("Recharge")), " ", u.name !== boot.user && h("button", { type: "button", onclick: () => freeze(u) }, u.frozen ? t("Thaw") : t("Freeze"))] },
], { key: (u) => u.id, filter: (u) => `${u.name} ${u.display_name}` });

function recharge(user) {
  const amount = Number(prompt(t("Add how much to the balance of {name}, in {currency}?", { name: user.name, currency: boot.currency }), "100"));
  if (amount > 0) attempt(() => post("/billing/recharges", { workspace: user.name, amount_micro: Math.round(amount * 1e6) }).then(slow));
}

function freeze(user) {
  if (user.frozen) attempt(() => post(`/accounts/users/${encodeURIComponent(user.name)}/thaw`).then(slow));
  else {
    const reason = prompt(t("Why is {name} shut out? They are shown it.", { name: user.name }), "");
    if (reason !== null) attempt(() => post(`/accounts/users/${encodeURIComponent(user.name)}/freeze`, { reason }).then(slow));
  }
}

const specs = table("specs", [
  { title: t("Name"), sort: (s) => s.name, cell: (s) => s.name },
  { title: t("Shape"), narrow: false, cell: shape },
  { title: t("Price"), num: true, sort: (s) => s.price_micro, cell: (s) => perHour(s.price_micro) },
  { title: "", num: true, cell: (s) => [h("button", { type: "button", onclick: () => price(s) }, t("Price…")), " ", h("button", { type: "button", onclick: () => change(s, { enabled: !s.enabled }) }, s.enabled ? t("Disable") : t("Enable"))] },
], { key: (s) => s.id, filter: (s) => s.name });

const change = (spec, patch) => attempt(() => api("PATCH", `/resources/specs/${spec.name}`, patch).then(slow));

function price(spec) {
  const answer = prompt(t("Price of {name} per hour, in {currency}", { name: spec.name, currency: boot.currency }), String(spec.price_micro / 1e6));
  const value = Number(answer);
  if (answer !== null && Number.isFinite(value) && value >= 0) change(spec, { price_micro: Math.round(value * 1e6) });
}

const again = refresh(5, async () => {
  const [nodes, used, waiting] = await Promise.all([get("/resources/nodes?limit=500"), get("/resources/usage"), get("/workloads/queue")]);
  show("nodes", nodes.items.map(node));
  running(used.items);
  queue(waiting.items);
});

const slow = refresh(20, async () => {
  const [people, balances, all] = await Promise.all([get("/accounts/users?limit=500"), get("/billing/balances?all=true&limit=500"), get("/resources/specs?all=true&limit=500")]);
  const has = new Map(balances.items.map((balance) => [balance.workspace, balance.balance_micro]));
  users(people.items.map((user) => ({ ...user, balance: has.get(user.name) ?? null })));
  specs(all.items);
});
