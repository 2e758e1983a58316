import { about, attempt, boot, date, ENDED, get, h, perHour, post, refresh, say, show, t, title, $ } from "./core.js";
import { shape } from "./cards.js";

const id = boot.path[0];
let workload = null;
let told = false;

function ordinal(n) {
  if (!boot.language.startsWith("en")) return t("number {n}", { n });
  const tail = n % 100 > 10 && n % 100 < 14 ? "th" : ["th", "st", "nd", "rd"][n % 10] || "th";
  return `${n}${tail}`;
}

function bar(seconds) {
  const moving = $("moving");
  const waited = (Date.now() - date(workload.created)) / 1000;
  moving.classList.toggle("unsure", seconds === null);
  if (seconds !== null) moving.style.width = `${Math.max(2, (100 * waited) / Math.max(waited + seconds, 1))}%`;
}

async function ready() {
  if (told) return;
  told = true;
  const url = workload.kind === "notebook" ? workload.url : `${boot.base}jobs/${id}`;
  if (document.hidden && window.Notification?.permission === "granted") {
    new Notification(t("It has started"), { body: title(workload), icon: `${boot.base}static/logo.svg`, tag: id });
  }
  show("place", t("Ready"));
  show("expected", t("Opening it…"));
  location.replace(url);
}

function waiting(queue) {
  const { position, p50_seconds: p50, p90_seconds: p90 } = workload.forecast || { position: 1, p50_seconds: null, p90_seconds: null };
  show("place", ordinal(position));
  show("expected", p50 === null ? t("No history yet to say how long") : about(p50), p90 ? h("span.dim", {}, ` · ${t("90 %: {time}", { time: about(p90) })}`) : "");
  show("ahead", position > 1 ? t("{ahead} ahead of you, {all} waiting in all", { ahead: position - 1, all: queue.length }) : t("Nobody ahead of you: it starts as soon as there is room"));
  bar(p50);
  const others = workload.kind === "notebook" ? queue.free_specs.filter((spec) => spec.name !== workload.spec).slice(0, 3) : [];
  show("instead", others.length && h("span", {}, t("Free now instead:")),
    others.map((spec) => h("button", { type: "button", title: shape(spec), onclick: (event) => instead(spec, event.target) }, `${spec.name}, ${perHour(spec.price_micro)}`)));
  document.title = `${ordinal(position)} · ${t("Waiting")}`;
}

function starting() {
  show("place", t("Starting"));
  show("expected", workload.message || t("Your place is ready; the notebook starts."));
  show("ahead", "\u00a0");
  show("instead");
  bar(null);
}

function ended() {
  show("place", workload.phase === "failed" ? t("It did not start") : t("Cancelled"));
  show("expected", workload.message);
  show("ahead", "\u00a0");
  show("instead", h("a.button.primary", { href: boot.base }, t("Home")));
  document.querySelector(".thin").classList.add("over");
  for (const part of ["tell", "cancel", "closing"]) $(part).hidden = true;
}

async function stopped() {
  await post(`/workloads/${id}/stop`);
  for (;;) {
    if (ENDED.includes((await get(`/workloads/${id}`)).phase)) return;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
}

/** Give up the place and ask for the same notebook on a spec that is free. */
function instead(spec, button) {
  attempt(async () => {
    const request = { ...workload.request, spec: spec.name };
    await stopped();
    const made = await post("/workloads/notebooks", request);
    location.replace(`${boot.base}queue/${made.id}`);
  }, button);
}

const again = refresh(1.5, async () => {
  workload = await get(`/workloads/${id}`);
  show("what", `${title(workload)} · ${workload.spec} · ${perHour(workload.price_micro)}`);
  if (workload.phase === "running" && (workload.url || workload.kind === "job")) await ready();
  else if (workload.phase === "queued") waiting(await get("/workloads/queue"));
  else if (ENDED.includes(workload.phase)) ended();
  else starting();
});

$("cancel").addEventListener("click", (event) => attempt(async () => {
  await post(`/workloads/${id}/stop`);
  await again();
}, event.target));

$("tell").addEventListener("click", async () => {
  const answer = await window.Notification?.requestPermission();
  say(answer === "granted" ? t("You will be told when it starts, while this page is open.") : t("Your browser does not allow notifications for this page."), { bad: answer !== "granted" });
  $("tell").disabled = answer === "granted";
});
