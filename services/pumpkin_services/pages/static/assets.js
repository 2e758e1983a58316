import { attempt, boot, bytes, get, h, post, refresh, show, t, when, $ } from "./core.js";
import { table } from "./table.js";

const module = boot.module;
const VIEWS = { all: t("All"), mine: t("Mine"), shared: t("Shared"), preset: t("Preset") };
let view = "all";
let count = 100;

const KIND = module === "datasets"
  ? { title: t("Type"), narrow: false, sort: (a) => a.type, cell: (a) => a.type }
  : { title: t("Framework"), narrow: false, sort: (a) => a.framework, cell: (a) => a.framework };
const open = (asset) => `${boot.base}${module}/${encodeURIComponent(asset.workspace)}/${asset.name}`;
const EMPTY = {
  datasets: t("A dataset is a folder of files with versions; jobs and notebooks read it."),
  algorithms: t("An algorithm is a folder of code with versions; jobs run it."),
  models: t("A model is what a job leaves in its output folder, with where it came from."),
};

const list = table("list", [
  { title: t("Name"), wide: true, sort: (a) => a.name, cell: (a) => h("a", { href: open(a) }, a.name) },
  { title: t("Version"), num: true, sort: (a) => a.latest || 0, cell: (a) => (a.latest ? `v${a.latest}` : "–") },
  { title: t("Size"), num: true, sort: (a) => a.bytes, cell: (a) => (a.latest ? bytes(a.bytes) : "") },
  KIND,
  { title: t("Workspace"), narrow: false, sort: (a) => a.workspace, cell: (a) => a.workspace },
  { title: t("Labels"), wide: true, narrow: false, cell: (a) => [a.preset && h("span.tag", {}, t("preset")), a.visibility === "everyone" && h("span.tag", {}, t("everyone")), ...a.labels.map((label) => h("span.tag", {}, label))].filter(Boolean).flatMap((tag) => [tag, " "]) },
  { title: t("Changed"), num: true, narrow: false, sort: (a) => a.updated, cell: (a) => when(a.updated) },
], { key: (a) => a.id, open, filter: (a) => [a.name, a.workspace, a.type, a.framework, ...a.labels].join(" "), empty: EMPTY[module] });

const again = refresh(15, async () => {
  const page = await get(`/${module}?limit=${count}&view=${view}`);
  list(page.items, { onMore: page.next && count < 500 ? () => { count += 100; again(); } : null });
});

show("views", Object.entries(VIEWS).map(([name, title]) => h("button", {
  type: "button", role: "tab", "aria-selected": String(name === view),
  onclick: (event) => {
    view = name;
    for (const tab of $("views").children) tab.setAttribute("aria-selected", String(tab === event.target));
    again();
  },
}, title)));

const mine = Object.entries(boot.workspaces).filter(([, role]) => role !== "viewer").map(([name]) => name).sort((a, b) => (b === boot.user) - (a === boot.user));
show("f-workspace", mine.map((name) => h("option", { value: name }, name)));
$("new").addEventListener("click", () => $("dialog").showModal());
$("close").addEventListener("click", () => $("dialog").close());
$("new-form").addEventListener("submit", (event) => {
  event.preventDefault();
  const request = Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value));
  attempt(async () => {
    location.href = open(await post(`/${module}`, request));
  }, event.submitter);
});
