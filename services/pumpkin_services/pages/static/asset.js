import { api, attempt, boot, bytes, copyable, get, h, refresh, say, show, span, t, when, $ } from "./core.js";
import { short } from "./chart.js";
import { table } from "./table.js";

const module = boot.module;
const [workspace, name] = boot.path;
const path = `/${module}/${encodeURIComponent(workspace)}/${encodeURIComponent(name)}`;
const PREVIEW = 64 * 1024;
let asset = null;
let chosen = Number(new URLSearchParams(location.search).get("version")) || null;
let folder = "";
let showing = null;

function head() {
  const reference = `${workspace === boot.user ? "" : `${workspace}/`}${name}${asset.latest ? `@${asset.latest}` : ""}`;
  const remove = (event) => confirm(t("Delete {name} with all its versions?", { name })) && attempt(async () => {
    await api("DELETE", path);
    location.href = `${boot.base}${module}`;
  }, event.target);
  show("asset-head",
    h("div.head", {}, h("h1", {}, name), h("span.dim", {}, workspace), asset.type || asset.framework ? h("span.tag", {}, asset.type || asset.framework) : null,
      asset.preset && h("span.tag", {}, t("preset")), asset.visibility === "everyone" && h("span.tag", {}, t("everyone")), asset.labels.map((label) => h("span.tag", {}, label)),
      asset.latest && copyable(reference), asset.may_write && h("button.danger", { type: "button", onclick: remove }, t("Delete"))),
    asset.description && h("p.description", {}, asset.description));
  $("upload").hidden = !asset.may_write;
}

const versions = table("versions", [
  { title: t("Version"), sort: (v) => v.number, cell: (v) => h("button.quiet", { type: "button", "aria-pressed": String(v.number === chosen), onclick: () => pick(v.number) }, v.number === chosen ? h("b", {}, `v${v.number}`) : `v${v.number}`) },
  { title: t("Files"), num: true, sort: (v) => v.files, cell: (v) => v.files.toLocaleString(boot.language) },
  { title: t("Size"), num: true, sort: (v) => v.bytes, cell: (v) => bytes(v.bytes) },
  { title: t("Made"), num: true, sort: (v) => v.created, cell: (v) => h("span", { title: v.creator }, when(v.committed || v.created)) },
], { key: (v) => v.id, empty: t("No version yet.") });

let ready = [];
const again = refresh(8, async () => {
  asset = await get(path);
  head();
  ready = (await get(`${path}/versions?limit=200`)).items.filter((version) => version.state === "ready");
  chosen ||= ready[0]?.number || null;
  versions(ready);
  if (chosen && showing !== `${chosen}:${folder}`) await browse();
});

function pick(number) {
  chosen = number;
  folder = "";
  versions(ready);
  attempt(browse);
}

async function browse() {
  showing = `${chosen}:${folder}`;
  const base = `${path}/versions/${chosen}`;
  const page = await get(`${base}/tree?limit=500&folder=${encodeURIComponent(folder)}`);
  const parts = folder ? folder.split("/") : [];
  const go = (to) => (event) => { event.preventDefault(); folder = to; attempt(browse); };
  show("crumbs", h("a", { href: "#", onclick: go("") }, `v${chosen}`), parts.flatMap((part, i) => [" / ", h("a", { href: "#", onclick: go(parts.slice(0, i + 1).join("/")) }, part)]));
  show("downloads", ["tar", "zip"].map((format) => h("a", { href: `${boot.base}api/v1${base}/archive?format=${format}&folder=${encodeURIComponent(folder)}`, download: true }, format)));
  const file = (entry) => `${boot.base}api/v1${base}/files/${entry.path.split("/").map(encodeURIComponent).join("/")}`;
  table("tree", [
    { title: t("Name"), wide: true, sort: (e) => e.name, cell: (e) => h("a", { href: e.type === "folder" ? "#" : file(e), onclick: e.type === "folder" ? go(e.path) : (event) => { event.preventDefault(); attempt(() => preview(e, file(e))); } }, e.type === "folder" ? `${e.name}/` : e.name) },
    { title: t("Files"), num: true, sort: (e) => e.files, cell: (e) => (e.type === "folder" ? e.files.toLocaleString(boot.language) : "") },
    { title: t("Size"), num: true, sort: (e) => e.bytes, cell: (e) => bytes(e.bytes) },
    { title: "", num: true, cell: (e) => e.type === "file" && h("a", { href: file(e), download: e.name }, t("download")) },
  ], { key: (e) => e.path, filter: (e) => e.name, empty: t("This folder is empty.") })(page.items);
  $("preview").hidden = true;
  if (module === "models") await lineage(`${base}/lineage`);
}

async function preview(entry, url) {
  const answer = await fetch(url, { headers: { Range: `bytes=0-${PREVIEW - 1}`, "X-XSRFToken": boot.xsrf } });
  const content = new Uint8Array(await answer.arrayBuffer());
  $("preview").hidden = false;
  if (content.slice(0, 4096).includes(0)) show("preview", t("{name} is not text.", { name: entry.name }));
  else show("preview", new TextDecoder().decode(content) + (entry.bytes > PREVIEW ? `\n… ${t("the first {part} of {whole}", { part: bytes(PREVIEW), whole: bytes(entry.bytes) })}` : ""));
}

async function lineage(url) {
  const from = await get(url);
  $("origin").hidden = false;
  const link = (kind, reference) => {
    const [, where, what, version] = /^(.*)\/([^/@]+)@(\d+)$/.exec(reference) || [];
    return what ? h("a", { href: `${boot.base}${kind}/${encodeURIComponent(where)}/${what}?version=${version}` }, reference) : reference;
  };
  const rows = [];
  if (from.job) rows.push([t("Job"), h("a", { href: `${boot.base}jobs/${from.job}` }, from.job_name || from.job)]);
  if (from.code) rows.push([t("Algorithm"), link("algorithms", from.code)]);
  for (const one of from.datasets) rows.push([t("Dataset"), link("datasets", one)]);
  for (const one of from.models) rows.push([t("Model"), link("models", one)]);
  if (from.environment) rows.push([t("Environment"), from.environment]);
  for (const [metric, value] of Object.entries(from.metrics)) rows.push([metric, short(value)]);
  show("lineage", rows.length ? h("dl.facts", {}, rows.map(([title, value]) => [h("dt", {}, title), h("dd", {}, value)])) : h("p.dim", {}, t("Uploaded; not made by a job here.")));
}

function send(file) {
  const format = file.name.toLowerCase().endsWith(".zip") ? "zip" : "tar";
  const request = new XMLHttpRequest();
  const started = Date.now();
  request.open("PUT", `${boot.base}api/v1${path}/import?format=${format}`);
  request.setRequestHeader("X-XSRFToken", boot.xsrf);
  request.setRequestHeader("Content-Type", "application/octet-stream");
  $("sent").hidden = false;
  request.upload.onprogress = (event) => {
    $("sent").value = event.loaded / event.total;
    const rate = event.loaded / ((Date.now() - started) / 1000);
    show("rate", event.loaded < event.total ? t("{rate}/s, {time} left", { rate: bytes(rate), time: span((event.total - event.loaded) / rate) }) : t("verifying…"));
  };
  return new Promise((resolve, reject) => {
    request.onerror = () => reject(new Error(t("The connection broke; nothing was kept. Try again.")));
    request.onload = () => {
      const content = JSON.parse(request.responseText || "{}");
      if (request.status < 300) resolve(content);
      else reject(new Error(content.detail || t("The platform refused with status {status}.", { status: request.status })));
    };
    request.send(file);
  }).finally(() => { $("sent").hidden = true; show("rate"); });
}

const form = $("upload-form");
form.addEventListener("submit", (event) => {
  event.preventDefault();
  const file = $("file").files[0];
  if (!file) {
    say(t("Choose a zip or tar archive first."), { bad: true });
    return;
  }
  attempt(async () => {
    const version = await send(file);
    say(t("Version {n} is ready.", { n: version.number }));
    form.reset();
    chosen = version.number;
    folder = "";
    await again();
  }, event.submitter);
});
for (const [type, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
  form.addEventListener(type, (event) => {
    event.preventDefault();
    form.classList.toggle("over", over);
    if (type === "drop" && event.dataTransfer.files.length) $("file").files = event.dataTransfer.files;
  });
}
