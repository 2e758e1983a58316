// What every page needs: the API, elements without innerHTML, numbers with units, times, messages, refreshing.

export const boot = JSON.parse(document.getElementById("boot").textContent);

/** Translate `text`; `{name}` stands for a value. */
export function t(text, values = {}) {
  return (boot.messages[text] || text).replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** Make an element: `h("div.card", {title: "…", onclick: f}, "text", child)`. Text is never HTML. */
export function h(selector, attributes = {}, ...children) {
  const [tag, ...classes] = selector.split(".");
  const element = document.createElement(tag);
  if (classes.length) element.className = classes.join(" ");
  for (const [name, value] of Object.entries(attributes)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name in element && typeof value !== "string") element[name] = value;
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

export const $ = (id) => document.getElementById(id);

/** Put `children` into the element `id`, in place of what was there. */
export function show(id, ...children) {
  const place = typeof id === "string" ? $(id) : id;
  place.replaceChildren(...children.flat(Infinity).filter(Boolean));
  return place;
}

/** A refusal of the API: `message` is its sentence, `fields` what it names. */
export class Refusal extends Error {
  constructor(problem, status) {
    super(problem.detail || t("The platform refused with status {status}.", { status }));
    this.status = status;
    this.reason = problem.reason;
    this.fields = (problem.errors || []).map((error) => error.field);
  }
}

/** Call the API; resolves with the parsed body. Network failures are `TypeError`s. */
export async function api(method, path, body) {
  const headers = { "X-XSRFToken": boot.xsrf };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  if (method === "POST") headers["Idempotency-Key"] = crypto.randomUUID?.() || String(Math.random()).slice(2);
  const answer = await fetch(`${boot.base}api/v1${path}`, {
    method,
    headers,
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  if (answer.status === 401) {
    location.reload();
    return new Promise(() => {});
  }
  if (answer.status === 204) return null;
  const isJson = (answer.headers.get("Content-Type") || "").includes("json");
  const content = isJson ? await answer.json() : await answer.text();
  if (!answer.ok) throw new Refusal(isJson ? content : {}, answer.status);
  return content;
}

export const get = (path) => api("GET", path);
export const post = (path, body) => api("POST", path, body ?? {});

/** Follow server-sent events of the API until `end`; the browser resumes after a break by itself. */
export function follow(path, handlers) {
  const source = new EventSource(`${boot.base}api/v1${path}${path.includes("?") ? "&" : "?"}_xsrf=${encodeURIComponent(boot.xsrf)}`);
  for (const [type, handler] of Object.entries(handlers)) source.addEventListener(type, handler);
  source.addEventListener("end", () => source.close());
  return source;
}

/** Say something once, quietly; `bad` for a refusal. */
export function say(text, { bad = false } = {}) {
  const toast = h(`div.toast${bad ? ".bad" : ""}`, { role: bad ? "alert" : "status" }, text);
  $("toasts").append(toast);
  setTimeout(() => toast.remove(), bad ? 9000 : 4000);
}

/** Run an action; what the platform refuses is said. Resolves with its result, or undefined. */
export async function attempt(action, button) {
  if (button) button.disabled = true;
  try {
    return await action();
  } catch (error) {
    say(error instanceof TypeError ? t("The platform does not answer: try again in a moment.") : error.message, { bad: true });
    return undefined;
  } finally {
    if (button) button.disabled = false;
  }
}

/** Call `load` now and every `seconds`, while the page is seen; when it fails, grey the data and say its age. */
export function refresh(seconds, load) {
  let last = null;
  let timer = null;
  const run = async () => {
    clearTimeout(timer);
    try {
      await load();
      last = new Date();
      document.body.classList.remove("stale");
      $("offline").hidden = true;
    } catch (error) {
      if (error instanceof Refusal && error.status < 500 && error.status !== 429) {
        if (!last) say(error.message, { bad: true });
      } else {
        document.body.classList.toggle("stale", last !== null);
        $("offline").hidden = false;
        $("offline").textContent = last
          ? t("The platform does not answer. What you see is from {time}; trying again.", { time: last.toLocaleTimeString(boot.language) })
          : t("The platform does not answer; trying again.");
      }
    }
    if (!document.hidden) timer = setTimeout(run, seconds * 1000);
  };
  document.addEventListener("visibilitychange", () => document.hidden || run());
  run();
  return run;
}

const UNITS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];

/** 1536 → "1.5 KiB" */
export function bytes(count) {
  let value = count;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  return `${unit && value < 10 ? value.toFixed(1).replace(".0", "") : Math.round(value)} ${UNITS[unit]}`;
}

/** Micro-units → "¥12.40"; small amounts keep the digits that matter. */
export function money(micro) {
  const value = micro / 1e6;
  const digits = value !== 0 && Math.abs(value) < 0.1 ? 4 : 2;
  return `${value < 0 ? "−" : ""}${boot.currency}${Math.abs(value).toLocaleString(boot.language, { minimumFractionDigits: Number.isInteger(value) ? 0 : 2, maximumFractionDigits: digits })}`;
}

export const perHour = (micro) => (micro ? t("{price}/h", { price: money(micro) }) : t("free of charge"));

/** Seconds → "1 h 04 m" */
export function span(seconds) {
  const whole = Math.max(0, Math.round(seconds));
  if (whole < 60) return t("{n} s", { n: whole });
  if (whole < 3600) return t("{m} m {s} s", { m: Math.floor(whole / 60), s: String(whole % 60).padStart(2, "0") });
  if (whole < 86400) return t("{h} h {m} m", { h: Math.floor(whole / 3600), m: String(Math.floor((whole % 3600) / 60)).padStart(2, "0") });
  return t("{d} d {h} h", { d: Math.floor(whole / 86400), h: Math.floor((whole % 86400) / 3600) });
}

/** Seconds until something is expected → "about 14 min" */
export function about(seconds) {
  if (seconds < 45) return t("less than a minute");
  if (seconds < 5400) return t("about {n} min", { n: Math.ceil(seconds / 60) });
  return t("about {n} h", { n: (seconds / 3600).toFixed(1).replace(".0", "") });
}

export const date = (text) => (text ? new Date(text) : null);

/** A relative time whose hover says the exact one. */
export function when(text) {
  const at = date(text);
  if (!at) return "";
  const seconds = (at - Date.now()) / 1000;
  const steps = [[60, 1, "second"], [3600, 60, "minute"], [86400, 3600, "hour"], [2592000, 86400, "day"], [31536000, 2592000, "month"], [Infinity, 31536000, "year"]];
  const [, size, unit] = steps.find(([limit]) => Math.abs(seconds) < limit);
  const words = new Intl.RelativeTimeFormat(boot.language, { style: "narrow", numeric: "auto" }).format(Math.round(seconds / size), unit);
  return h("time", { datetime: text, title: at.toLocaleString(boot.language) }, words);
}

const PHASES = {
  queued: () => t("queued"),
  preparing: () => t("preparing"),
  running: () => t("running"),
  stopping: () => t("stopping"),
  succeeded: () => t("succeeded"),
  failed: () => t("failed"),
  stopped: () => t("stopped"),
};
export const ENDED = ["succeeded", "failed", "stopped"];
export const phaseName = (phase) => PHASES[phase]?.() || phase;

/** The phase of a workload as a coloured word. */
export const phase = (workload) =>
  h(`span.phase.${workload.phase}`, { title: workload.message || phaseName(workload.phase) }, phaseName(workload.phase));

/** What a workload is called; the Hub's default server has no name of its own. */
export const title = (workload) => (workload.kind !== "job" && ["", "default"].includes(workload.name) ? t("default notebook") : workload.name);

/** An id that a click copies. */
export function copyable(text) {
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    say(t("Copied."));
  };
  return h("code.copy", { title: t("Click to copy"), onclick: copy }, text);
}

/** How long a workload has run, in seconds. */
export function ran(workload) {
  const start = date(workload.started);
  return start ? ((date(workload.finished) || new Date()) - start) / 1000 : 0;
}

export const cores = (milli) => `${+(milli / 1000).toFixed(2)} CPU`;

/** Split "a, b c" into references. */
export const references = (text) => text.split(/[\s,]+/).filter(Boolean);

const theme = $("theme");
theme?.addEventListener("click", () => {
  const root = document.documentElement;
  const dark = matchMedia("(prefers-color-scheme: dark)").matches;
  const order = dark ? ["", "light", "dark"] : ["", "dark", "light"];
  const next = order[(order.indexOf(root.dataset.theme || "") + 1) % 3];
  if (next) {
    root.dataset.theme = next;
    localStorage.setItem("pumpkin-theme", next);
  } else {
    delete root.dataset.theme;
    localStorage.removeItem("pumpkin-theme");
  }
});
document.addEventListener("click", (event) => {
  for (const menu of document.querySelectorAll("details.menu[open]")) if (!menu.contains(event.target)) menu.open = false;
});
