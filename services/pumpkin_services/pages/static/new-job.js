import { about, attempt, boot, get, h, money, post, references, refresh, show, t, $ } from "./core.js";
import { cards } from "./cards.js";

function request() {
  const form = new FormData($("job-form"));
  const job = { name: form.get("name").trim(), spec: form.get("spec"), command: form.get("command"), datasets: references(form.get("datasets")), models: references(form.get("models")) };
  for (const name of ["environment", "algorithm"]) if (form.get(name).trim()) job[name] = form.get(name).trim();
  if (form.get("output").trim()) job.output = { model: form.get("output").trim() };
  return job;
}

refresh(10, async () => {
  const [specs, queue] = await Promise.all([get("/resources/specs?kind=job&limit=200"), get("/workloads/queue")]);
  cards("specs", specs.items, queue.free_specs);
});

get("/images?limit=200").then((page) => {
  for (const item of page.items) $("f-environment").append(h("option", { value: `${item.workspace}/${item.name}` }, item.name));
});
for (const module of ["datasets", "algorithms", "models"]) {
  get(`/${module}?limit=200`).then((page) => {
    document.body.append(h("datalist", { id: `l-${module}` }, page.items.filter((item) => item.latest).map((item) => {
      const mine = item.workspace === boot.user ? "" : `${item.workspace}/`;
      return h("option", { value: `${mine}${item.name}@${item.latest}` }, item.entrypoint || "");
    })));
    if (module === "algorithms") $("f-algorithm").addEventListener("change", (event) => {
      const name = event.target.value.split("/").pop().split("@")[0];
      const chosen = page.items.find((item) => item.name === name);
      if (chosen?.entrypoint && !$("f-command").value) $("f-command").value = chosen.entrypoint;
    });
  });
}

let timer = null;
$("job-form").addEventListener("input", () => {
  clearTimeout(timer);
  timer = setTimeout(async () => {
    const job = request();
    if (!job.name || !job.command || !job.spec) return;
    try {
      const { price_micro: price, starts_now: now, forecast, hours } = await post("/workloads/estimate", { job });
      const wait = now ? t("starts at once") : forecast?.p50_seconds ? t("starts in {time}", { time: about(forecast.p50_seconds) }) : t("waits in the queue");
      const lasts = hours === null ? "" : ` · ${t("your balance lasts {n} h", { n: hours.toFixed(1) })}`;
      show("estimate", `${price ? t("{price}/h", { price: money(price) }) : t("free of charge")} · ${wait}${lasts}`);
    } catch (error) {
      show("estimate", h("span.bad", {}, error.message));
    }
  }, 400);
});

$("job-form").addEventListener("submit", (event) => {
  event.preventDefault();
  attempt(async () => {
    const made = await post("/workloads/jobs", request());
    location.href = `${boot.base}jobs/${made.id}`;
  }, event.submitter);
});
